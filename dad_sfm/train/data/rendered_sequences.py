"""Data plug: sequences from drives and orbits through rendered scenes, with exact depth.

As with `rendered_pairs`, a bank of sequences is rendered once (see `dad_sfm.synthetic.video`), and
each step looks at parts of them in new ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from ...core.config import ConfigError
from ...synthetic.bank import render_bank
from ...synthetic.video import SequenceBankConf, sequence_views
from .bounded_cache import BoundedCache
from .depth_sequences import DepthSequenceConf, DepthSequenceSource
from .homography_pairs import photo_files
from .rendered_pairs import read_scene, scene_window
from .sequence_batch import difficulty


@dataclass(frozen=True)
class RenderedSequenceConf(DepthSequenceConf):
    """How sequences are made from rendered ones."""

    name: ClassVar[str] = "rendered"

    consistency: float = 0.01  # depth is exact; boards and kerbs are thin
    bank: str = "datasets/rendered-sequences"  # folder of the bank
    scenes: int = 60
    length: int = 7  # frames of each rendered sequence
    overlap: float = 0.3  # share of the first frame that the last one sees
    relief: bool = True  # houses and trees, beside boxes, drums and boards
    bank_seed: int = 0

    def __post_init__(self) -> None:
        if self.length <= self.frames:
            raise ConfigError(
                f"length: rendered sequences of {self.length} frames do not hold a reference and "
                f"{self.frames} others"
            )

    @property
    def bank_conf(self) -> SequenceBankConf:
        return SequenceBankConf(
            size=self.canvas_px,
            frames=self.length,
            overlap=self.overlap,
            relief=self.relief,
            seed=self.bank_seed,
        )


class RenderedSequences:
    """Batches of sequences from a bank; what is missing of it is rendered first.

    ``photos`` (or folders of them) cover the scenes' surfaces; without any, textures are painted.
    Raises `ConfigError` when the folder holds another bank.
    """

    Conf = RenderedSequenceConf

    def __init__(
        self, photos: Sequence[Path | str], conf: RenderedSequenceConf, *, seed: int
    ) -> None:
        self.conf, self.seed = conf, seed
        self.paths = render_bank(
            conf.bank,
            conf.bank_conf,
            scenes=conf.scenes,
            textures=photo_files(photos) if photos else (),
            draw_views=sequence_views,
        )
        self._scene = BoundedCache(read_scene)

    def batch(self, step: int) -> DepthSequenceSource:
        rng = np.random.default_rng((self.seed, step))
        level = difficulty(step, self.conf.curriculum, classes=3)
        sequences = []
        for _ in range(self.conf.batch):
            scene = self._scene(self.paths[int(rng.integers(len(self.paths)))])
            rows = frame_numbers(rng, self.conf.length, self.conf.frames + 1, level)
            sequences.append([scene_window(scene, row) for row in rows])
        return DepthSequenceSource.draw(sequences, rng, self.conf)


def frame_numbers(
    rng: np.random.Generator, length: int, count: int, level: int | None
) -> np.ndarray:
    """``count`` of ``length`` frames in order, forwards or backwards.

    level  0: neighbours; 1: any, in order; 2: any, among them the first and the last one;
           None: one of these at random
    """
    level = int(rng.integers(3)) if level is None else level
    if level == 0:
        rows = np.arange(count) + rng.integers(length - count + 1)
    elif level == 1:
        rows = np.sort(rng.permutation(length)[:count])
    else:
        inner = 1 + np.sort(rng.permutation(length - 2)[: count - 2])
        rows = np.array([0, *inner, length - 1])
    return rows[::-1] if rng.random() < 0.5 else rows
