"""Data plug: several plugs of one kind of batch by turns, ``--data megadepth+tokyo``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from ...core.config import ConfigError
from ...core.registry import Registry
from .batch import BatchSource, DataConf
from .plugs import LABELLED, SEQUENCES, make_data

_FIRST = 0.8  # share of the first of several, as RIPE mixes MegaDepth with another set


@dataclass(frozen=True)
class MixtureConf(DataConf):
    """Which plugs, and the share of the batches that is drawn from each."""

    name: ClassVar[str] = "mixture"

    names: tuple[str, ...] = ()
    parts: tuple[DataConf, ...] = ()
    weights: tuple[float, ...] = ()  # () = 0.8 of the first, the others alike

    def __post_init__(self) -> None:
        weights = self.weights
        if weights and (len(weights) != len(self.parts) or min(weights) < 0 or sum(weights) <= 0):
            raise ConfigError(f"weights: {list(weights)} are no shares of {'+'.join(self.names)}")

    @property
    def rotation_deg(self) -> float | None:
        """By how much views are turned at most, where any part turns them."""
        turned = [getattr(part, "rotation_deg", None) for part in self.parts]
        return max((each for each in turned if each is not None), default=None)

    @property
    def shares(self) -> list[float]:
        others = len(self.parts) - 1
        default = [1.0] if not others else [_FIRST, *[(1 - _FIRST) / others] * others]
        weights = self.weights or default
        return [weight / sum(weights) for weight in weights]


class Mixture:
    """Each batch is of one plug of labelled pairs, drawn at random."""

    Conf = MixtureConf
    registry: ClassVar[Registry] = LABELLED

    def __init__(self, photos: Sequence[Path | str], conf: MixtureConf, *, seed: int) -> None:
        if not conf.parts:
            raise ConfigError("a mixture is named by its parts: --data megadepth+tokyo")
        self.conf, self.seed = conf, seed
        self.parts = [make_data(self.registry, part, photos, seed) for part in conf.parts]

    def batch(self, step: int) -> BatchSource:
        rng = np.random.default_rng((self.seed, step, 3))
        return self.parts[int(rng.choice(len(self.parts), p=self.conf.shares))].batch(step)


class SequenceMixture(Mixture):
    """The same of plugs of sequences."""

    registry: ClassVar[Registry] = SEQUENCES
