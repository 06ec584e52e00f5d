"""What this machine has, and whether it works."""

from .examine import examine
from .finding import Finding, Level

__all__ = ["Finding", "Level", "examine"]
