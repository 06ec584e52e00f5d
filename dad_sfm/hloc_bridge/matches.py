"""What hloc's matcher calls: the tensors of two feature groups -> matches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from ..core.device import choose_device
from ..core.types import Features, Matches
from ..matchers import MATCHERS
from ..matchers.base import Matcher, View
from .presets import own_model

_INT16_MAX = 32767  # hloc writes indices as 16-bit integers


class PairMatches:
    """The matcher of a preset (the ``model`` of `presets.matcher_confs`)."""

    def __init__(self, model: Mapping[str, Any], *, device: str = "auto") -> None:
        options = own_model(model, "matcher")
        self._matcher: Matcher = MATCHERS.make(options, device=str(choose_device(device)))

    def __call__(self, data: Mapping[str, Tensor]) -> Matches:
        """hloc's batch of one pair: the data sets of each feature group, named with 0 and 1.

        Raises `ValueError` for more keypoints than hloc's match files can number.
        """
        view0, view1 = (View(f"image {side}", _features(data, side)) for side in "01")
        if len(view1.features) > _INT16_MAX + 1:
            raise ValueError(
                f"{len(view1.features)} keypoints: hloc's match files cannot number more than "
                f"{_INT16_MAX + 1}; match with dad_sfm.match_features, or extract fewer"
            )
        return self._matcher(view0, view1)


def _features(data: Mapping[str, Tensor], side: str) -> Features:
    def array(name: str) -> np.ndarray:
        return data[f"{name}{side}"][0].cpu().numpy()

    keypoints_px = array("keypoints").reshape(-1, 2)
    # SuperPoint and D2-Net of hloc write `scores`, DISK and ALIKED `keypoint_scores`.
    key = next((k for k in ("scores", "keypoint_scores") if f"{k}{side}" in data), None)
    W, H = (int(v) for v in array("image_size"))
    return Features(
        keypoints_px,
        array(key) if key else np.ones(len(keypoints_px), np.float32),
        (W, H),
        descriptors=array("descriptors").T if f"descriptors{side}" in data else None,
    )
