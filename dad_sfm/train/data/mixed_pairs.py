"""Data plug: batches of homographies of photos, and batches of views of rendered scenes.

Photos have what rendering has not, their looks; scenes have what homographies have not, depth and
what hides behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from .batch import BatchSource
from .homography_pairs import HomographyConf, HomographyPairs
from .rendered_pairs import RenderedConf, RenderedPairs


@dataclass(frozen=True)
class MixedConf(HomographyConf):
    """How pairs are made from photos, and which rendered scenes there are beside them.

    Both kinds are turned and shifted alike; ``scale``, ``perspective`` and ``canvas`` are those of
    the homographies alone, for rendered views differ by where their cameras stand.
    """

    name: ClassVar[str] = "mixed"

    rendered: float = 0.5  # share of the batches, drawn at random
    bank: str = "datasets/rendered"  # this and what follows: see `RenderedConf`
    scenes: int = 200
    overlap: float = 0.3
    relief: bool = True
    days: float = 0.5
    bank_seed: int = 0

    @property
    def rendered_conf(self) -> RenderedConf:
        return RenderedConf(
            size=self.size,
            batch=self.batch,
            rotation_deg=self.rotation_deg,
            shift_px=self.shift_px,
            photometric=self.photometric,
            bank=self.bank,
            scenes=self.scenes,
            overlap=self.overlap,
            relief=self.relief,
            days=self.days,
            bank_seed=self.bank_seed,
        )


class MixedPairs:
    """One kind or the other, batch by batch; raises what `HomographyPairs` and `RenderedPairs` do.

    Which one is drawn and not counted off: a process of several, or a log that looks at every so
    many steps, would else see one kind only.
    """

    Conf = MixedConf
    needs_photos = True

    def __init__(self, photos: Sequence[Path | str], conf: MixedConf, *, seed: int) -> None:
        self.conf, self.seed = conf, seed
        self.homographies = HomographyPairs(photos, conf, seed=seed)
        self.rendered = RenderedPairs(photos, conf.rendered_conf, seed=seed)

    def batch(self, step: int) -> BatchSource:
        drawn = np.random.default_rng((self.seed, step, 1)).random()
        return (self.rendered if drawn < self.conf.rendered else self.homographies).batch(step)
