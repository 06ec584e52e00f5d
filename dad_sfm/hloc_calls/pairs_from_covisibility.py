"""hloc's ``pairs_from_covisibility``."""

from __future__ import annotations

from pathlib import Path

from ..colmap.model import read_model
from ..pairs import main as pair


def main(model: Path | str, output: Path | str, num_matched: int) -> None:
    """Pair every image of a model with those that share most points with it."""
    pair(
        output,
        sorted(read_model(model).images),
        strategy="covisibility",
        model=str(model),
        num_matched=num_matched,
    )
