"""What goes wrong with feature and match files."""

from __future__ import annotations


class StoreError(ValueError):
    """A feature or match file cannot be used as asked.  The message names file and entry."""
