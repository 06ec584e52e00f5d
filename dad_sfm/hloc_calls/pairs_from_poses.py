"""hloc's ``pairs_from_poses``."""

from __future__ import annotations

from pathlib import Path

from ..colmap.model import read_model
from ..pairs import main as pair


def main(
    model: Path | str, output: Path | str, num_matched: int, rotation_threshold: float = 30
) -> None:
    """Pair every image of a model with the nearest that look the same way (degrees)."""
    pair(
        output,
        sorted(read_model(model).images),
        strategy="poses",
        model=str(model),
        neighbors=num_matched,
        max_angle=float(rotation_threshold),
    )
