"""Keypoints linked by dense warps: tracks from any dense matcher and any detector.

The detector's keypoints are the only keypoints; a warp says where they are in the other image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..core.types import Features, Matches
from ..geometry.mappings import Warp, WarpMapping
from ..geometry.neighbours import mutual, nearest

LONG_SIDE = 1024  # distances in pixels are those of an image of this long side


@dataclass(frozen=True)
class LinkConf:
    """Options that all dense matchers have.

    both_ways      a match is the nearest of the moved keypoint in both directions, each by its own
                   warp; False: mutual nearest by the warp from image 0 to image 1 alone
    max_distance   farthest that a moved keypoint is from its match
    unit           of it: ``px`` at a long side of `LONG_SIDE`; or ``normalised``, the frame in
                   which an image spans [-1, 1] on both axes
    min_certainty  a warp that is not more certain than this at a keypoint moves it nowhere
    """

    both_ways: bool = True
    max_distance: float = 3.0
    unit: Literal["px", "normalised"] = "px"
    min_certainty: float = 0.05

    def __post_init__(self) -> None:
        if self.max_distance <= 0 or not 0 <= self.min_certainty < 1:
            raise ValueError(
                f"max_distance is {self.max_distance} and min_certainty {self.min_certainty}: give "
                "a positive distance, and a certainty of at least 0 and less than 1"
            )


def link(
    features0: Features, features1: Features, forth: Warp, back: Warp | None, conf: LinkConf
) -> Matches:
    """Match the keypoints of two images by the warps between them.

    forth  where points of image 0 are in image 1
    back   where points of image 1 are in image 0; needed for ``conf.both_ways`` only

    At most one match per keypoint on either side; its score is the certainty of the warp at the
    keypoint, of the two the smaller one.
    """
    moved0, certainty0 = _moved(features0, features1, forth, conf)
    if not conf.both_ways:
        index, distance = mutual(moved0, _points(features1, conf))
        return _matches(np.where(distance <= conf.max_distance, index, -1), certainty0)
    assert back is not None, "both ways need both warps"
    moved1, certainty1 = _moved(features1, features0, back, conf)
    there, distance0 = nearest(moved0, _points(features1, conf))
    home, distance1 = nearest(moved1, _points(features0, conf))
    there = np.where(distance0 <= conf.max_distance, there, -1)
    home = np.where(distance1 <= conf.max_distance, home, -1)
    agree = there >= 0
    agree[agree] = home[there[agree]] == np.flatnonzero(agree)
    index = np.where(agree, there, -1)
    certainty = np.zeros(len(index))
    certainty[agree] = np.minimum(certainty0[agree], certainty1[index[agree]])
    return _matches(index, certainty)


def no_matches(features: Features) -> Matches:
    """None for any keypoint of image 0."""
    n = len(features)
    return Matches(np.full(n, -1, np.int32), np.zeros(n, np.float32))


def _moved(
    source: Features, target: Features, warp: Warp, conf: LinkConf
) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints of ``source`` in ``target``, in the unit of the conf, NaN where that is unknown;
    and certainties."""
    mapping = WarpMapping(warp, source.image_size, target.image_size)
    moved, certainty = mapping.sample(source.keypoints_px)
    known = certainty > conf.min_certainty
    return np.where(known[:, None], moved, np.nan) * _unit(target, conf), certainty


def _points(features: Features, conf: LinkConf) -> np.ndarray:
    return features.keypoints_px.astype(np.float64) * _unit(features, conf)


def _unit(target: Features, conf: LinkConf) -> np.ndarray:
    """Units per pixel of the original image, of each axis."""
    size = np.array(target.image_size, np.float64)
    return 2 / size if conf.unit == "normalised" else np.full(2, LONG_SIDE / size.max())


def _matches(index: np.ndarray, certainty: np.ndarray) -> Matches:
    scores = np.where(index >= 0, certainty, 0.0)
    return Matches(index.astype(np.int32), scores.clip(0, 1).astype(np.float32))
