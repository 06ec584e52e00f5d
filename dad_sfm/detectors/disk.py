"""DISK, detector and descriptor: a peer to be measured against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from kornia import feature
from torch import Tensor

from ..core.registry import Licence
from ..models.pretrained import Published, load_pretrained
from .base import Detections

_URL = "https://raw.githubusercontent.com/cvlab-epfl/disk/master/{}-save.pth"


@dataclass(frozen=True)
class DISKConf:
    """Options of `DISK`.

    nms_size             a point is the maximum of this many pixels squared
    detection_threshold  least score, a logit
    variant              how the weights were trained: "depth" (default of the authors), "epipolar"
    weights              a checkpoint of that variant, a path or a URL
    """

    max_keypoints: int = 2048
    nms_size: int = 5
    detection_threshold: float = 0.0
    variant: Literal["depth", "epipolar"] = "depth"
    weights: str | None = None


class DISK:
    """The best local maxima of DISK's heat map, on whole pixels, with its own descriptors; 128-D.

    Tyszkiewicz et al., "DISK: Learning local features with policy gradient", NeurIPS 2020.
    """

    Conf = DISKConf
    licence = Licence("Apache-2.0 (cvlab-epfl/disk, kornia)")
    stride = 1  # kornia pads to the right and below, and takes it off again

    def __init__(self, conf: DISKConf, *, device: str = "cpu") -> None:
        if conf.max_keypoints < 1 or conf.nms_size % 2 != 1:
            raise ValueError("disk: max_keypoints must be at least 1, nms_size odd")
        self._conf = conf
        published = Published(f"disk-{conf.variant}", _URL.format(conf.variant), inside="extractor")
        self._network, identity = load_pretrained(
            feature.DISK(), published, conf.weights, device=device
        )
        self._device = next(self._network.parameters()).device
        self.identity: dict[str, Any] = {**identity, "dim": self._network.desc_dim}

    @torch.inference_mode()
    def __call__(self, images: Tensor, masks: Tensor | None = None) -> list[Detections]:
        """Detect and describe in a batch of B×3×H×W images in [0, 1]; see `Detector`."""
        found = self._network(
            images.to(self._device),
            window_size=self._conf.nms_size,
            score_threshold=self._conf.detection_threshold,
            pad_if_not_divisible=True,
        )
        if masks is None:
            masks = torch.ones_like(images[:, 0], dtype=torch.bool)
        return [self._best(*each) for each in zip(found, masks.to(self._device), strict=True)]

    def _best(self, found: Any, mask: Tensor) -> Detections:
        # What differs among releases of kornia is done here: up to 0.8.3 it takes points whose
        # window is cut by the border, and with a budget loses the weakest even of few.
        border, (H, W) = self._conf.nms_size // 2, mask.shape
        x, y = found.keypoints.T
        inside = mask[y.long(), x.long()]
        inside &= (x >= border) & (x < W - border) & (y >= border) & (y < H - border)
        (inside,) = inside.nonzero(as_tuple=True)
        scores, order = found.detection_scores[inside].sort(descending=True, stable=True)
        order = inside[order[: self._conf.max_keypoints]]
        return Detections(found.keypoints[order], scores[: len(order)], found.descriptors[order])
