"""``hloc.extractors.dad_sfm``: absolute imports, for hloc loads this file under its own name."""

from __future__ import annotations

from typing import Any

import torch
from hloc.utils.base_model import BaseModel
from torch import Tensor

from dad_sfm.hloc_bridge.features import ImageFeatures


class DadSfmFeatures(BaseModel):
    """Any feature preset of dad_sfm; hloc wants exactly one model in a module."""

    required_inputs = ("image",)

    def _init(self, conf: dict[str, Any]) -> None:
        self.detection_noise = 1.0  # hloc reads it after each image
        self._features = ImageFeatures(conf)

    def _forward(self, data: dict[str, Tensor]) -> dict[str, Tensor]:
        found = self._features(data["image"])
        self.detection_noise = found.uncertainty_px
        arrays = {
            # hloc halves float32, which would move points by up to a pixel; float64 it leaves.
            "keypoints": torch.from_numpy(found.keypoints_px).double(),
            "scores": torch.from_numpy(found.scores),
        }
        if found.descriptors is not None:
            arrays["descriptors"] = torch.from_numpy(found.descriptors).T
        return {name: array[None] for name, array in arrays.items()}
