"""Sequences of photos with depth and cameras: what rendered ones and MegaDepth's have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from .depth_pairs import Side, Window
from .depth_warp import dense_warp
from .sequence_batch import SequenceBatch, SequenceConf, stack_frames
from .view_sampling import random_views


@dataclass(frozen=True)
class DepthSequenceConf(SequenceConf):
    """Sequences with depth."""

    consistency: float = 0.05  # relative difference of depth up to which two frames see one point


@dataclass(frozen=True)
class DepthSequenceSource:
    """The ingredients of a batch: ``sides`` are the reference and the frames, of B sequences."""

    sides: Sequence[Side]
    photometric_seed: int
    conf: DepthSequenceConf

    @classmethod
    def draw(
        cls,
        sequences: Sequence[Sequence[Window]],
        rng: np.random.Generator,
        conf: DepthSequenceConf,
    ) -> DepthSequenceSource:
        """Windows of sequences, the reference first, and one random look at each sequence."""
        looks = random_views(rng, conf)
        sides = [Side.of(windows, looks) for windows in zip(*sequences, strict=True)]
        return cls(sides, int(rng.integers(2**62)), conf)

    def to(self, device: torch.device) -> SequenceBatch:
        conf = self.conf
        seen = [side.on(device, conf.size) for side in self.sides]
        images = conf.photometric.on_views([image for image, _ in seen], seed=self.photometric_seed)
        (_, reference), *others = seen
        warps, valid = zip(
            *(dense_warp(reference, view, tolerance=conf.consistency) for _, view in others),
            strict=True,
        )
        return stack_frames(images, warps, valid)
