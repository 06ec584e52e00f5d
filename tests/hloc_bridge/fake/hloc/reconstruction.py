"""hloc's step that hands a database to COLMAP."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def run_reconstruction(sfm_dir: Path, database_path: Path, *rest: Any) -> tuple[Any, ...]:
    return (sfm_dir, database_path, *rest)
