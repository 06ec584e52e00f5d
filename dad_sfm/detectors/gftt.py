"""Good Features to Track: the classic corners of video trackers, as a baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from kornia.color import rgb_to_grayscale
from torch import Tensor

from ..core.registry import Licence
from ..models.score_maps import nms, top_keypoints
from .base import Detections

_SOBEL = ((-1.0, 0.0, 1.0), (-2.0, 0.0, 2.0), (-1.0, 0.0, 1.0))


@dataclass(frozen=True)
class GFTTConf:
    """Options of `GFTT`; the defaults are OpenCV's, except the distance, for which it has none.

    quality   least score, as a share of the best point's that the mask allows
    distance  px: a point is the best of the square window of twice this and 1 around it
    block     side of the window that gradients are summed over
    """

    max_keypoints: int = 2048
    quality: float = 0.01
    distance: int = 3
    block: int = 3

    def __post_init__(self) -> None:
        if self.max_keypoints < 1 or self.distance < 0 or self.block < 1 or self.block % 2 == 0:
            raise ValueError(
                "gftt: max_keypoints must be at least 1, distance at least 0, block an odd number"
            )


class GFTT:
    """Pixels with the largest minimum eigenvalue of the structure tensor around them.

    Shi and Tomasi, "Good Features to Track", CVPR 1994.
    """

    Conf = GFTTConf
    licence = Licence("MIT")
    stride = 1
    describes = False

    def __init__(self, conf: GFTTConf, *, device: str = "cpu") -> None:
        self._conf, self._device = conf, torch.device(device)
        self.identity: dict[str, Any] = {"name": "gftt"}

    @torch.inference_mode()
    def __call__(self, images: Tensor, masks: Tensor | None = None) -> list[Detections]:
        """Detect in a batch of B×3×H×W images in [0, 1]; see `Detector`."""
        conf = self._conf
        scores = least_eigenvalues(rgb_to_grayscale(images.to(self._device)), conf.block)
        peaks = nms(scores, 2 * conf.distance + 1)
        if masks is not None:
            peaks = peaks * masks.to(peaks.device)
        best = peaks.flatten(1).amax(dim=1)[:, None, None]
        peaks = peaks * (peaks >= conf.quality * best)
        return [
            Detections(points.float(), found)
            for points, found in top_keypoints(peaks, conf.max_keypoints)
        ]


def least_eigenvalues(grey: Tensor, block: int) -> Tensor:
    """B×1×H×W -> B×H×W smaller eigenvalues of the mean structure tensor of block×block pixels.

    Gradients are Sobel's, as slopes per pixel; the image is continued by its edge.
    """
    sobel = grey.new_tensor(_SOBEL) / 8
    kernels = torch.stack([sobel, sobel.T])[:, None]
    x, y = F.conv2d(F.pad(grey, (1, 1, 1, 1), mode="replicate"), kernels).unbind(dim=1)
    products = torch.stack([x * x, x * y, y * y], dim=1)
    r = block // 2
    a, b, c = F.avg_pool2d(F.pad(products, (r, r, r, r), mode="replicate"), block, 1).unbind(dim=1)
    least = (a + c) / 2 - (((a - c) / 2).square() + b.square()).sqrt()
    return least.clamp(min=0)
