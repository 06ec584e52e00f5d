"""hloc's step that hands a database to COLMAP."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def run_triangulation(model_path: Path, database_path: Path, *rest: Any) -> tuple[Any, ...]:
    return (model_path, database_path, *rest)
