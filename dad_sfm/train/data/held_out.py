"""Photos that a run is judged by and therefore never trains on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...core.config import ConfigError

EVERY = 20
SEED = 20  # of the pairs made from them: the same for all runs


def split(photos: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Every 20th photo is held out: those to train on, and those to validate on."""
    if len(photos) < 2:
        raise ConfigError(
            "a single photo cannot be trained on and validated on; give more, or other photos "
            "to validate on (--validation), or no validation (--validate-every 0)"
        )
    held = list(photos[::EVERY])
    never = set(held)  # where a photo is given twice as well
    return [photo for photo in photos if photo not in never], held
