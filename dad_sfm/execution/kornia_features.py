"""Our keypoints in kornia's conventions: local affine frames, responses and descriptors of a batch.

>>> feature = KorniaFeature(extract_features.preset("dad-nano+rootsift")["model"])
>>> match = kornia.feature.LocalFeatureMatcher(feature, kornia.feature.DescriptorMatcher("smnn"))
>>> match({"image0": images0, "image1": images1})["keypoints0"]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ..core.types import Features
from ..geometry.lafs import lafs_of
from .extractor import Extractor
from .loading import Photo, Preprocessing, prepare


class KorniaFeature(nn.Module):
    """Takes the place of kornia's ``LocalFeature``, as in `kornia.feature.LocalFeatureMatcher`.

    model          the detector and descriptor, as a feature preset names them under ``model``
    magnification  size of a frame in scales of its keypoint; keypoints without one have frames of
                   that many pixels
    """

    def __init__(
        self, model: Mapping[str, Any], *, magnification: float = 1.0, device: str = "cpu"
    ) -> None:
        super().__init__()
        self._extractor = Extractor(model, device=device)
        self._magnification = magnification

    @torch.inference_mode()
    def forward(self, img: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Detect and describe in B×C×H×W images in [0, 1], grey or RGB, of any device.

        mask  B×1×H×W, above 0 where keypoints may be

        Returns frames B×N×2×3 (pixel-index, kornia's frame), responses B×N and descriptors B×N×D;
        images with fewer points than the others are filled up with zeros, as by kornia's own.
        """
        masks = [None] * len(img) if mask is None else list(mask[:, 0] > 0)
        photos = [self._photo(*each) for each in zip(img, masks, strict=True)]
        found = self._extractor(photos)
        frames = [lafs_of(f, magnification=self._magnification) for f in found]
        described = [_descriptors(f) for f in found]
        arrays = frames, [f.scores for f in found], described
        lafs, responses, descriptors = (_filled(values).to(img) for values in arrays)
        return lafs, responses, descriptors

    def _photo(self, image: Tensor, mask: Tensor | None) -> Photo:
        """The photo of a C×H×W image, as if it had been read from a file."""
        pixels = (image.detach().clamp(0, 1) * 255).round().byte().cpu()
        rgb = pixels.expand(3, -1, -1).permute(1, 2, 0).contiguous().numpy()
        photo = prepare(Image.fromarray(rgb), Preprocessing(), stride=self._extractor.stride)
        if mask is None:
            return photo
        H, W = photo.pixels.shape[1:]
        resized = interpolate(mask[None, None].float(), (H, W), mode="nearest-exact")
        return replace(photo, mask=resized[0, 0].bool().cpu().numpy())


def _descriptors(found: Features) -> np.ndarray:
    if found.descriptors is None:
        raise ValueError("the model has no descriptors: name one under 'descriptor'")
    return found.descriptors


def _filled(values: Sequence[np.ndarray]) -> Tensor:
    """B×N×... of arrays of up to N rows, zeros after their ends."""
    longest = max(len(v) for v in values)
    filled = np.zeros((len(values), longest, *values[0].shape[1:]), np.float32)
    for row, value in zip(filled, values, strict=True):
        row[: len(value)] = value
    return torch.from_numpy(filled)
