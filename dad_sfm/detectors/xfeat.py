"""XFeat, detector and descriptor: a peer to be measured against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kornia import feature
from torch import Tensor

from ..core.registry import Licence
from ..models.kornia_version import require_kornia
from ..models.pretrained import Published, load_pretrained
from .base import Detections, unmasked

DIM = 64


@dataclass(frozen=True)
class XFeatConf:
    """Options of `XFeat`.

    detection_threshold  least probability of a point in its cell, before it is multiplied by the
                         reliability, which makes the score
    weights              the checkpoint, a path or a URL
    """

    max_keypoints: int = 2048
    detection_threshold: float = 0.05
    weights: str | None = None


class XFeat:
    """The best local maxima of XFeat's heat map, on whole pixels, with its own descriptors; 64-D.

    Potje et al., "XFeat: Accelerated Features for Lightweight Image Matching", CVPR 2024.
    """

    Conf = XFeatConf
    licence = Licence("Apache-2.0 (verlab/accelerated_features, kornia)")
    stride = 32  # kornia resizes what is not, and loses the frame by up to half a pixel

    def __init__(self, conf: XFeatConf, *, device: str = "cpu") -> None:
        if conf.max_keypoints < 1:
            raise ValueError("xfeat: max_keypoints must be at least 1")
        require_kornia("0.8.3", "xfeat")
        model = feature.XFeat(conf.max_keypoints, conf.detection_threshold)
        published = Published("xfeat", model.weights_url)
        _, identity = load_pretrained(model.net, published, conf.weights, device=device)
        self._model = model.eval()
        self._device = next(model.parameters()).device
        self.identity: dict[str, Any] = {**identity, "dim": DIM}

    def __call__(self, images: Tensor, masks: Tensor | None = None) -> list[Detections]:
        """Detect and describe in a batch of B×3×H×W images in [0, 1]; see `Detector`."""
        images = images.to(self._device)
        if masks is None:
            return [_detections(f) for f in self._model.detectAndCompute(images)]
        budget = self._model.top_k
        found = self._model.detectAndCompute(images, top_k=images[0, 0].numel())
        return [
            unmasked(_detections(f), mask, budget) for f, mask in zip(found, masks, strict=True)
        ]


def _detections(found: dict[str, Tensor]) -> Detections:
    return Detections(found["keypoints"], found["scores"], found["descriptors"])
