"""The page of reliability, from what the faults have led to."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def write_page(path: Path, found: dict[str, Any]) -> None:
    """Write docs/reliability.md."""
    path.write_text("# Reliability\n", encoding="utf-8")
