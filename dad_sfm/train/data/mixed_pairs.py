"""Data plug: homographies of photos and views of rendered scenes by turns, a batch of each.

Photos have what rendering has not, their looks; scenes have what homographies have not, depth and
what hides behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .batch import PairSource
from .homography_pairs import HomographyConf, HomographyPairs
from .rendered_pairs import RenderedConf, RenderedPairs


@dataclass(frozen=True)
class MixedConf(HomographyConf):
    """How pairs are made from photos, and where the rendered scenes are."""

    bank: str = "datasets/rendered"
    scenes: int = 200


class MixedPairs:
    """Even batches are rendered, odd ones are homographies; see there for what they raise."""

    def __init__(self, photos: Sequence[Path | str], conf: MixedConf, *, seed: int) -> None:
        rendered = RenderedConf(
            size=conf.size,
            batch=conf.batch,
            photometric=conf.photometric,
            bank=conf.bank,
            scenes=conf.scenes,
        )
        self.homographies = HomographyPairs(photos, conf, seed=seed)
        self.rendered = RenderedPairs(photos, rendered, seed=seed)

    def batch(self, step: int) -> PairSource:
        return (self.homographies if step % 2 else self.rendered).batch(step)
