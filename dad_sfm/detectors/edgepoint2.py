"""EdgePoint2, detector and descriptor: a peer to be measured against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, max_pool2d, normalize

from ..core.registry import Licence
from ..geometry.pixel_frames import norm_from_px
from ..models.edgepoint2 import STRIDE, VARIANTS, EdgePoint2
from ..models.pretrained import Published, load_pretrained
from .base import Detections

_URL = "https://github.com/HITCSC/EdgePoint2/raw/main/weights/{}.pth"
_SHA256 = {
    "E64": "968d0bfae2c3f89a11092750160c90862b2b9c5b022e9aef12f97376b61cbdfe",
    "S64": "a2c7737a85844921a0fded7225cf48c5f596b7eff130abc8711ee5ae5017f097",
}


@dataclass(frozen=True)
class EdgePoint2Conf:
    """Options of `EdgePoint2Plugin`.

    variant              "E64", the largest of the published ones, or "S64"
    nms_radius           a point is the maximum of the (2 * nms_radius + 1)² pixels around it
    detection_threshold  minimum logit
    border               no point in so many outer pixels
    weights              the checkpoint, a path or a URL
    """

    max_keypoints: int = 2048
    variant: Literal["E64", "S64"] = "E64"
    nms_radius: int = 2
    detection_threshold: float = -5.0
    border: int = 4
    weights: str | None = None

    def __post_init__(self) -> None:
        if self.max_keypoints < 1 or self.nms_radius < 0 or self.border < 0:
            raise ValueError(
                "edgepoint2: max_keypoints must be at least 1, nms_radius and border at least 0"
            )


class EdgePoint2Plugin:
    """The best local maxima of EdgePoint2's score map, on whole pixels; 64-D descriptors.

    Yao et al., "EdgePoint2: Compact Descriptors for Superior Efficiency and Accuracy", 2025.
    """

    Conf = EdgePoint2Conf
    licence = Licence("MIT (HITCSC/EdgePoint2)")
    stride = STRIDE

    def __init__(self, conf: EdgePoint2Conf, *, device: str = "cpu") -> None:
        self._conf = conf
        published = Published(
            f"edgepoint2-{conf.variant.lower()}",
            _URL.format(conf.variant),
            filename=f"edgepoint2-{conf.variant}.pth",
            sha256=_SHA256[conf.variant],
        )
        widths = VARIANTS[conf.variant]
        self._network, identity = load_pretrained(
            EdgePoint2(widths), published, conf.weights, device=device
        )
        self._device = next(self._network.parameters()).device
        self.identity: dict[str, Any] = {**identity, "dim": widths.descriptor}

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> list[Detections]:
        """Detect and describe in a batch of B×3×H×W images in [0, 1]; see `Detector`."""
        dense, logits = self._network(images.to(self._device))
        radius = self._conf.nms_radius
        window_max = max_pool2d(logits[:, None], 2 * radius + 1, stride=1, padding=radius)[:, 0]
        peaks = (logits == window_max) & (logits > self._conf.detection_threshold)
        return [self._best(*each) for each in zip(peaks, logits, dense, strict=True)]

    def _best(self, peaks: Tensor, logits: Tensor, dense: Tensor) -> Detections:
        H, W = logits.shape
        y, x = peaks.nonzero(as_tuple=True)
        b = self._conf.border
        inside = (x >= b) & (x < W - b) & (y >= b) & (y < H - b)
        y, x = y[inside], x[inside]
        scores, order = logits[y, x].sort(descending=True, stable=True)
        order = order[: self._conf.max_keypoints]
        points = torch.stack([x, y], dim=-1)[order].float()
        grid = norm_from_px(points, H=H, W=W)[None, None]
        found = grid_sample(dense[None], grid, align_corners=False)
        return Detections(points, scores[: len(order)], normalize(found[0, :, 0].T, dim=1))
