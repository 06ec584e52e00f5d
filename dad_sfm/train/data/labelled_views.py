"""Data plugs: labelled pairs of warped photos or rendered scenes, whose geometry is known.

A positive pair is one of the plug it is made from; in a negative pair the second view is of
another photo, or of another scene.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from .homography_pairs import HomographyConf, HomographyPairs
from .labelled_batch import SubjectSource, ViewSource
from .rendered_pairs import RenderedConf, RenderedPairs


@dataclass(frozen=True)
class LabelledHomographyConf(HomographyConf):
    """How pairs are made from photos, and labelled."""

    positive: float = 0.5  # share of pairs that show the same photo


@dataclass(frozen=True)
class LabelledRenderedConf(RenderedConf):
    """How pairs are made from rendered scenes, and labelled."""

    positive: float = 0.5  # share of pairs that show the same scene


class LabelledHomographies:
    """Labelled pairs of views of photos; see `HomographyPairs`."""

    Conf: ClassVar[type] = LabelledHomographyConf
    needs_photos = True

    def __init__(
        self, photos: Sequence[Path | str], conf: LabelledHomographyConf, *, seed: int
    ) -> None:
        self.conf, self.seed = conf, seed
        self.pairs = HomographyPairs(photos, conf, seed=seed)

    def batch(self, step: int) -> ViewSource:
        return labelled(self.pairs.batch(step), self.conf.positive, seed=(self.seed, step, 2))


class LabelledRendered:
    """Labelled pairs of views of rendered scenes; see `RenderedPairs`."""

    Conf: ClassVar[type] = LabelledRenderedConf

    def __init__(
        self, photos: Sequence[Path | str], conf: LabelledRenderedConf, *, seed: int
    ) -> None:
        self.conf, self.seed = conf, seed
        self.pairs = RenderedPairs(photos, conf, seed=seed)

    def batch(self, step: int) -> ViewSource:
        return labelled(self.pairs.batch(step), self.conf.positive, seed=(self.seed, step, 2))


def labelled(source: SubjectSource, positive: float, *, seed: Sequence[int]) -> ViewSource:
    """Make each pair a negative one with probability 1 - ``positive``, by the second view of the
    next pair of another subject; where there is none it stays positive."""
    subjects = source.subjects
    count = len(subjects)
    partner = []
    for number, drawn in enumerate(np.random.default_rng(seed).random(count)):
        others = [(number + step) % count for step in range(1, count)]
        strangers = [other for other in others if subjects[other] != subjects[number]]
        partner.append(strangers[0] if strangers and drawn >= positive else number)
    return ViewSource(source, torch.tensor(partner))
