"""TraqPoint's detector: the published network by path, or one trained by ``dad-sfm train track``.

Liu et al., "From Pairs to Sequences: Track-Aware Policy Gradients for Keypoint Detection", CVPR
2026.  Of a published checkpoint the detector alone is read; its descriptor needs DINOv3, whose
weights their owner hands out himself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..core.registry import Licence
from ..models.imagenet import normalize
from ..models.pretrained import Published, load_pretrained
from ..models.score_maps import nms, refine_subpixel, remove_borders, top_keypoints
from ..models.traqpoint import STRIDE, TraqPoint
from .base import Detections

_PUBLISHED = Published(
    "traqpoint",
    filename="traqpoint.pth",
    page="https://github.com/xiaomi-research/traqpoint",
    inside="model",
    part="detector.",
)


@dataclass(frozen=True)
class TraqPointConf:
    """Options of `TraqPointPlugin`; the defaults are the public code's.

    nms_radius           a point is the maximum of the (2 * nms_radius + 1)² pixels around it
    detection_threshold  least sigmoid of a logit
    subpixel_temp        of the softmax of the sigmoids in that window, which refines a point
    weights              the checkpoint, a path or a URL
    """

    max_keypoints: int = 4096
    nms_radius: int = 2
    detection_threshold: float = 0.01
    subpixel_temp: float = 0.1
    weights: str | None = None

    def __post_init__(self) -> None:
        if self.max_keypoints < 1 or self.nms_radius < 1 or self.subpixel_temp <= 0:
            raise ValueError(
                "traqpoint: max_keypoints and nms_radius must be at least 1, subpixel_temp above 0"
            )


class TraqPointPlugin:
    """The highest local maxima of the policy's sigmoid, refined to sub-pixel positions."""

    Conf = TraqPointConf
    licence = Licence("Apache-2.0 (xiaomi-research/traqpoint)")
    stride = STRIDE
    describes = False

    def __init__(self, conf: TraqPointConf, *, device: str = "cpu") -> None:
        self._conf = conf
        self._network, self.identity = _load(conf, device)
        self._device = next(self._network.parameters()).device

    @torch.inference_mode()
    def __call__(self, images: Tensor, masks: Tensor | None = None) -> list[Detections]:
        """Detect in a batch of B×3×H×W images in [0, 1]; see `Detector`."""
        conf = self._conf
        scores = self._network(normalize(images.to(self._device)))[:, 0].float().sigmoid()
        window = 2 * conf.nms_radius + 1
        peaks = remove_borders(nms(scores, window), conf.nms_radius + 1)
        peaks = peaks * (peaks > conf.detection_threshold)
        if masks is not None:
            peaks = peaks * masks.to(peaks.device)
        return [
            Detections(refine_subpixel(score, points, conf.subpixel_temp, window), found)
            for score, (points, found) in zip(
                scores, top_keypoints(peaks, conf.max_keypoints), strict=True
            )
        ]


def _load(conf: TraqPointConf, device: str) -> tuple[TraqPoint, dict[str, Any]]:
    return load_pretrained(TraqPoint(), _PUBLISHED, conf.weights, device=device)
