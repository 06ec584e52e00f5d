"""ALIKED, detector and descriptor: a peer to be measured against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..geometry.pixel_frames import px_from_aligned_norm
from ..models.aliked import LICENCE, Variant, load_aliked
from .base import Detections


@dataclass(frozen=True)
class ALIKEDConf:
    """Options of `ALIKED`.

    nms_radius           a point is the maximum of the (2 * nms_radius + 1)² pixels around it
    detection_threshold  least score, 0 to 1; the default takes the best whatever their score
    variant, weights     see `load_aliked`
    """

    max_keypoints: int = 2048
    nms_radius: int = 2
    detection_threshold: float = 0.0
    variant: Variant = "n16"
    weights: str | None = None


@dataclass(frozen=True)
class ALIKEDn16rotConf(ALIKEDConf):
    """`ALIKEDConf` with another variant unless told."""

    variant: Variant = "n16rot"


@dataclass(frozen=True)
class ALIKEDn32Conf(ALIKEDConf):
    """`ALIKEDConf` with another variant unless told."""

    variant: Variant = "n32"


class ALIKED:
    """The best local maxima of ALIKED's score map, sub-pixel, with its own descriptors."""

    Conf = ALIKEDConf
    licence = LICENCE
    stride = 1  # kornia pads around the centre and takes it off again

    def __init__(self, conf: ALIKEDConf, *, device: str = "cpu") -> None:
        if conf.max_keypoints < 1 or conf.nms_radius < 1:
            raise ValueError("aliked: max_keypoints and nms_radius must be at least 1")
        self._threshold = conf.detection_threshold
        self._network, identity = load_aliked(conf.variant, conf.weights, device=device)
        self.identity: dict[str, Any] = identity
        self._device = next(self._network.parameters()).device
        from kornia.feature.aliked.aliked import DKD  # not in the kornia of Python 3.10

        self._network.dkd = DKD(radius=conf.nms_radius, top_k=conf.max_keypoints).to(self._device)

    @torch.inference_mode()
    def __call__(self, images: Tensor, masks: Tensor | None = None) -> list[Detections]:
        """Detect and describe in a batch of B×3×H×W images in [0, 1]; see `Detector`."""
        H, W = images.shape[-2:]
        features, probs = self._network.extract_dense_map(images.to(self._device))
        if masks is not None:
            probs = probs * masks[:, None].to(self._device)
        points, scores, _ = self._network.dkd(probs)
        descriptors, _ = self._network.desc_head(features, points)
        points = [px_from_aligned_norm(p, H=H, W=W) for p in points]
        return [self._sorted(*each) for each in zip(points, scores, descriptors, strict=True)]

    def _sorted(self, points: Tensor, scores: Tensor, descriptors: Tensor) -> Detections:
        # kornia reads the scores again at the sub-pixel positions: their order may change.
        scores, order = scores.sort(descending=True, stable=True)
        order = order[: int((scores > self._threshold).sum())]
        return Detections(points[order], scores[: len(order)], descriptors[order])


class ALIKEDn16rot(ALIKED):
    """Trained with rotations."""

    Conf = ALIKEDn16rotConf


class ALIKEDn32(ALIKED):
    """Descriptors from 32 deformable samples instead of 16."""

    Conf = ALIKEDn32Conf
