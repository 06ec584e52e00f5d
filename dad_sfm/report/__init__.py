"""Reports of reconstructions: a document, its JSON file and a few lines for the terminal."""

from .build import build_report, failure_report
from .document import Failure, Report
from .summary import summary_lines

__all__ = ["Failure", "Report", "build_report", "failure_report", "summary_lines"]
