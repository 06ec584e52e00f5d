"""What matchers of descriptors have in common: unit vectors, once per image; one match at most."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from ..core.device import choose_device
from ..core.types import Features, Matches
from ..geometry.lafs import lafs_of
from .base import View


def unit_descriptors(descriptors: np.ndarray, device: torch.device) -> tuple[Tensor, np.ndarray]:
    """Unit vectors of N×D descriptors of any range, without those that are zero or not finite; and
    which rows they are."""
    vectors = torch.from_numpy(np.ascontiguousarray(descriptors)).to(device).float()
    # Scaled first: the squares of large or tiny foreign descriptors would leave the range.
    top = vectors.abs().amax(dim=1, keepdim=True) if vectors.numel() else vectors[:, :1]
    usable = (torch.isfinite(vectors).all(dim=1)) & (top[:, 0] > 0)
    unit = normalize(vectors[usable] / top[usable], dim=1)
    return unit, usable.nonzero()[:, 0].cpu().numpy()


def descriptors_of(view: View) -> np.ndarray:
    """N×D; none of any dimension for an image without keypoints.  Raises ValueError."""
    found = view.features.descriptors
    if found is None and len(view.features):
        raise ValueError(f"{view.name}: the features hold no descriptors")
    return np.zeros((0, 1), np.float32) if found is None else found


@dataclass(frozen=True)
class Described:
    """The keypoints of an image whose descriptors mean something.

    features  as in the file
    rows      which of its keypoints
    unit      their descriptors, N×D unit vectors on the matcher's device
    """

    features: Features
    rows: np.ndarray
    unit: Tensor

    @property
    def lafs(self) -> Tensor:
        """1×N×2×3 frames, as kornia's matchers take them."""
        return torch.from_numpy(lafs_of(self.features)[self.rows])[None].to(self.unit.device)


class DescriptorMatcher(ABC):
    """Adds everything but `pairs` to a matcher of descriptors, compared by their angle."""

    needs_descriptors = True
    needs_images = False
    identity: dict[str, Any]

    def __init__(self, device: str) -> None:
        self._device = choose_device(device)

    @torch.inference_mode()
    def __call__(self, view0: View, view1: View) -> Matches:
        """Match two views; of several matches of a keypoint the one with the best score is kept."""
        sides = self._described(view0), self._described(view1)
        n = len(view0.features)
        matches0, scores0 = np.full(n, -1, np.int32), np.zeros(n, np.float32)
        if min(len(side.rows) for side in sides) >= 2:  # what a ratio needs
            index, scores = (found.cpu().numpy() for found in self.pairs(*sides))
            index, scores = one_to_one(index, scores)
            rows = sides[0].rows[index[:, 0]]
            matches0[rows] = sides[1].rows[index[:, 1]]
            scores0[rows] = scores.clip(0, 1)
        return Matches(matches0, scores0)

    def _described(self, view: View) -> Described:
        unit, rows = view.once(
            f"unit descriptors {self._device}",
            lambda: unit_descriptors(descriptors_of(view), self._device),
        )
        return Described(view.features, rows, unit)

    @abstractmethod
    def pairs(self, side0: Described, side1: Described) -> tuple[Tensor, Tensor]:
        """K×2 matched rows of the two `Described`, and (K,) scores, higher is better, at most 1."""


def one_to_one(index: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of K×2 matches those that share no keypoint with a better one."""
    order = np.argsort(-scores, kind="stable")
    for column in (0, 1):
        _, first = np.unique(index[order, column], return_index=True)
        order = order[np.sort(first)]
    return index[order], scores[order]
