"""DeDoDe v2, detector: a peer to be measured against.  Its descriptor is a plug-in of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from kornia.feature.dedode.utils import sample_keypoints
from torch import Tensor

from ..geometry.pixel_frames import px_from_norm
from ..models.dedode import LICENCE, load_detector, normalized
from .base import Detections


@dataclass(frozen=True)
class DeDoDeConf:
    """Options of `DeDoDe`.

    increase_coverage  scores are divided by the root of the local density of scores
    weights            the checkpoint, a path or a URL
    """

    max_keypoints: int = 2048
    increase_coverage: bool = True
    weights: str | None = None


class DeDoDe:
    """The best pixels of DeDoDe's score map; there are always as many as asked for.

    Edstedt et al., "DeDoDe v2: Analyzing and Improving the DeDoDe Keypoint Detector", 2024.
    """

    Conf = DeDoDeConf
    licence = LICENCE
    stride = 8
    describes = False

    def __init__(self, conf: DeDoDeConf, *, device: str = "cpu") -> None:
        if conf.max_keypoints < 1:
            raise ValueError("dedode-v2: max_keypoints must be at least 1")
        self._conf = conf
        self._network, identity = load_detector(conf.weights, device=device)
        self._device = next(self._network.parameters()).device
        self.identity: dict[str, Any] = identity

    @torch.inference_mode()
    def __call__(self, images: Tensor, masks: Tensor | None = None) -> list[Detections]:
        """Detect in a batch of B×3×H×W images in [0, 1]; see `Detector`."""
        H, W = images.shape[-2:]
        logits = self._network(normalized(images.to(self._device)))
        probs = logits.flatten(1).softmax(dim=1).reshape(-1, H, W)
        if masks is not None:
            probs = probs * masks.to(probs.device)
        points_norm, scores = sample_keypoints(
            probs,
            num_samples=min(self._conf.max_keypoints, H * W),
            increase_coverage=self._conf.increase_coverage,
        )
        points = px_from_norm(points_norm, H=H, W=W)
        return [Detections(*each) for each in zip(points, scores, strict=True)]
