"""``report.html``: the report as one page that needs no other file and no network."""

from .ahead import photos_ahead
from .photos import SmallPhoto
from .write import write_page

__all__ = ["SmallPhoto", "photos_ahead", "write_page"]
