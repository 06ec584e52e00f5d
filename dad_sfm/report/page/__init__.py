"""``report.html``: the report as one page that needs no other file and no network."""

from .write import write_page

__all__ = ["write_page"]
