"""Two photos, or many pairs of them, matched in memory: for a notebook, a robot, a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import extract_features, match_features
from ..core import config
from ..core.device import choose_device
from ..core.types import Features, Matches
from ..execution.extractor import Extractor
from ..execution.loading import load_photo
from ..matchers import MATCHERS
from ..matchers.base import Matcher
from ..matchers.views import Views


@dataclass(frozen=True)
class PairMatches:
    """What two photos have in common; the frame of points is pixel-index, of the files' own grids.

    features0, features1  all keypoints of each photo
    matches               which of image 0 belongs to which of image 1
    """

    features0: Features
    features1: Features
    matches: Matches

    @property
    def points0(self) -> np.ndarray:
        """K×2 float32 matched points of image 0."""
        return self.features0.keypoints_px[self.matches.indices[:, 0]]

    @property
    def points1(self) -> np.ndarray:
        """K×2 float32 points of image 1, row by row those of `points0`."""
        return self.features1.keypoints_px[self.matches.indices[:, 1]]

    @property
    def scores(self) -> np.ndarray:
        """K float32 in [0, 1], as the matcher says."""
        return self.matches.scores


class PairMatcher:
    """Matches pairs of photos; networks are loaded once, and each photo is read once (see
    `views.Views`).

    >>> matcher = PairMatcher("dad-nano+aliked-n16", "adalam")
    >>> found = [matcher(a, b) for a, b in pairs]

    features       a preset of `extract_features.confs`, or a changed copy of one
    matcher        a preset of `match_features.confs`, likewise
    max_keypoints  per image, instead of the preset's
    device         "auto", "cpu", "cuda" or "mps"

    Raises `ConfigError` for unknown names and options, `MatchingError` for a matcher that was not
    made for the features, `CheckpointError` for weights that cannot be had.
    """

    def __init__(
        self,
        features: str | Mapping[str, Any] = "dad-nano+rootsift",
        matcher: str | Mapping[str, Any] = "NN-mutual",
        *,
        max_keypoints: int | None = None,
        device: str = "auto",
    ) -> None:
        preset = extract_features.preset(features)
        if max_keypoints is not None:
            preset["model"] = {**preset["model"], "max_keypoints": max_keypoints}
        conf = config.build(extract_features.ExtractionConf, preset, where="features")
        matching = config.build(
            match_features.MatchingConf, match_features.preset(matcher), where="matcher"
        )
        match_features.check_features(matching, conf.model)
        chosen = str(choose_device(device))
        self._preprocessing = conf.preprocessing
        self._extractor = Extractor(conf.model, device=chosen)
        self._matcher: Matcher = MATCHERS.make(matching.model, device=chosen)
        self._views = Views(self._extract, Path())

    def __call__(self, path0: Path | str, path1: Path | str) -> PairMatches:
        """Match two photos.  Raises `ImageError`."""
        view0, view1 = self._views(str(path0)), self._views(str(path1))
        return PairMatches(view0.features, view1.features, self._matcher(view0, view1))

    def _extract(self, path: str) -> Features:
        photo = load_photo(Path(path), self._preprocessing, stride=self._extractor.stride)
        (found,) = self._extractor([photo])
        return found


def match_pair(
    path0: Path | str,
    path1: Path | str,
    features: str | Mapping[str, Any] = "dad-nano+rootsift",
    matcher: str | Mapping[str, Any] = "NN-mutual",
    *,
    max_keypoints: int | None = None,
    device: str = "auto",
) -> PairMatches:
    """Match two photos; options and errors are those of `PairMatcher`.

    >>> found = dad_sfm.match_pair("a.jpg", "b.jpg")
    >>> found.points0, found.points1, found.scores
    """
    return PairMatcher(features, matcher, max_keypoints=max_keypoints, device=device)(path0, path1)
