"""Data plug: sequences of internet photos with depth and cameras, from `sequence_index`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from ...core.config import ConfigError
from ...io.images import ImageError
from ...io.store import StoreError
from .depth_pairs import Window
from .depth_sequences import DepthSequenceConf, DepthSequenceSource
from .indexed_scene import MegaDepthError
from .megadepth_pairs import HELD_OUT
from .megadepth_photos import partner_centre, read_photo, square_about, window_of
from .sequence_batch import difficulty
from .sequence_index import CLASSES, PARTNERS, read_sequences

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class MegaDepthSequenceConf(DepthSequenceConf):
    """The paper's values are the defaults."""

    name: ClassVar[str] = "megadepth"

    size: int = 480
    rotation_deg: float = 0.0
    consistency: float = 0.2
    megadepth: str = "datasets/megadepth"  # folder of the data set
    held_out: tuple[str, ...] = HELD_OUT

    def __post_init__(self) -> None:
        if self.frames > PARTNERS:
            raise ConfigError(f"frames: sequences of MegaDepth have {PARTNERS} beside the head")


class MegaDepthSequences:
    """Batches of sequences from a MegaDepth folder; ``photos`` are not used.

    Raises `MegaDepthError` where no sequences have been drawn.  A sequence that cannot be read
    later on is passed over for the next one, with a warning.
    """

    Conf = MegaDepthSequenceConf

    def __init__(
        self, photos: Sequence[Path | str], conf: MegaDepthSequenceConf, *, seed: int
    ) -> None:
        self.conf, self.seed = conf, seed
        self.scenes = [
            found
            for found in read_sequences(conf.megadepth)
            if not any(found[0].name.startswith(name) for name in conf.held_out)
        ]
        if not self.scenes:
            raise MegaDepthError(f"{conf.megadepth}: all sequences are of scenes held out")

    def batch(self, step: int) -> DepthSequenceSource:
        rng = np.random.default_rng((self.seed, step))
        level = difficulty(step, self.conf.curriculum, len(CLASSES))
        sequences = [self._sequence(rng, level) for _ in range(self.conf.batch)]
        return DepthSequenceSource.draw(sequences, rng, self.conf)

    def _sequence(self, rng: np.random.Generator, level: int | None) -> list[Window]:
        side = self.conf.canvas_px
        for _ in range(10):
            scene, infos, scores = self.scenes[int(rng.integers(len(self.scenes)))]
            rows = rows_of(scores, level)
            numbers = infos[int(rng.choice(rows))][: self.conf.frames + 1]
            try:
                head, *others = (read_photo(scene, int(number)) for number in numbers)
            except (ImageError, StoreError, MegaDepthError, FileNotFoundError) as error:
                logger.warning("a sequence of scene %s is passed over: %s", scene.name, error)
                continue
            square = square_about(head, rng.uniform((0, 0), head.image.size), side)
            return [window_of(head, square, side)] + [
                window_of(
                    other, square_about(other, partner_centre(head, square, other), side), side
                )
                for other in others
            ]
        raise MegaDepthError(
            f"{self.conf.megadepth}: ten sequences in a row could not be read; see the warnings"
        )


def rows_of(scores: np.ndarray, level: int | None) -> np.ndarray:
    """The sequences (rows of S×4 overlaps) of a class; all where it is None or has none."""
    every = np.arange(len(scores))
    if level is None:
        return every
    (low, high), _ = CLASSES[level]
    mean = scores.mean(axis=1)
    found = np.flatnonzero((mean >= low) & (mean < high))
    return found if len(found) else every
