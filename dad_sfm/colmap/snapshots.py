"""Models as they grow: what COLMAP's incremental mapper writes for those who watch it.

COLMAP writes a snapshot after every ``snapshot_frames_freq`` new images, one of its options, which
is 0 for none.  They are in the folder in which the models are built, and are removed with it.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

_SETTLED = 1.0  # seconds after which a file that is not written to is taken for whole


def partial_folder(sfm_dir: Path) -> Path:
    """Where the models of ``sfm_dir`` are while they are built."""
    return sfm_dir.with_name(f"{sfm_dir.name}.partial")


def keep_snapshots(settings: Any, sfm_dir: Path) -> None:
    """Let the snapshots that the mapper's options ask for go where `newest_snapshot` looks."""
    if getattr(settings, "snapshot_frames_freq", 0) > 0 and Path(settings.snapshot_path) == Path():
        folder = partial_folder(sfm_dir) / "snapshots"
        folder.mkdir(parents=True, exist_ok=True)
        settings.snapshot_path = str(folder)


def newest_snapshot(sfm_dir: Path) -> Path | None:
    """The newest snapshot that is whole, None where there is none.

    Points are what COLMAP writes last.  The last folder counts when nothing is written to it any
    more, the others because there is a later one.
    """
    folder = partial_folder(sfm_dir) / "snapshots"
    found = sorted(path.parent for path in folder.glob("*/points3D.bin"))
    for path in reversed(found):
        try:
            age = time.time() - (path / "points3D.bin").stat().st_mtime
        except FileNotFoundError:  # the run has ended meanwhile
            return None
        if path != found[-1] or age > _SETTLED:
            return path
    return None
