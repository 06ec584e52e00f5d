"""COLMAP's own log, led into Python's logging.

COLMAP writes hundreds of lines to the terminal.  Inside `colmap_log` they go to a file, and from
there, when the step ends, to the logger ``dad_sfm.colmap``: errors as warnings, the rest at
debug level.  A file ``colmap.log.*`` that is left in the folder belongs to a run that was killed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

logger = logging.getLogger("dad_sfm.colmap")

_FATAL = 3  # glog's level: only what ends the process still reaches the terminal


@contextmanager
def colmap_log(folder: Path) -> Iterator[None]:
    """Keep COLMAP silent inside, and log what it said at the end."""
    import pycolmap

    glog = pycolmap.logging
    before = glog.alsologtostderr, glog.stderrthreshold
    prefix = f"{folder / 'colmap.log'}."
    glog.alsologtostderr, glog.stderrthreshold = False, _FATAL
    glog.set_log_destination(glog.INFO, prefix)
    try:
        yield
    finally:
        glog.set_log_destination(glog.INFO, "")  # closes, and so flushes, the file
        glog.alsologtostderr, glog.stderrthreshold = before
        log_what_is_left(folder)


def log_what_is_left(folder: Path) -> None:
    """Log what COLMAP has written under a folder, also by a process that has crashed."""
    for path in sorted(folder.rglob("colmap.log.*")):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            severe = line.startswith(("E", "F"))
            logger.log(logging.WARNING if severe else logging.DEBUG, "%s", line)
        path.unlink()
