"""What hloc's extractor calls: an image tensor -> features in pixels of that image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from ..core.config import build
from ..core.device import choose_device
from ..core.types import Features
from ..execution.extractor import Extractor
from ..execution.loading import Preprocessing, prepare
from .presets import own_model


class ImageFeatures:
    """The detector and descriptor of a preset (the ``model`` of `presets.feature_confs`)."""

    def __init__(self, model: Mapping[str, Any], *, device: str = "auto") -> None:
        options = own_model(model, "detector")
        preprocessing = options.pop("preprocessing", {})
        self._preprocessing = build(Preprocessing, preprocessing, where="model.preprocessing")
        self._extractor = Extractor(options, device=str(choose_device(device)))

    def __call__(self, image: Tensor) -> Features:
        """1×C×H×W float in [0, 1], grey or RGB -> keypoints in the pixel-index frame of H×W."""
        pixels = (image[0].clamp(0, 1) * 255).round().byte().expand(3, -1, -1)
        picture = Image.fromarray(np.ascontiguousarray(pixels.permute(1, 2, 0).cpu().numpy()))
        photo = prepare(picture, self._preprocessing, stride=self._extractor.stride)
        return self._extractor([photo])[0]
