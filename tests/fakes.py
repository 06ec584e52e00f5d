"""Plug-ins with known answers, for tests of the steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dad_sfm.detectors.base import Detections
from dad_sfm.models.score_maps import nms, top_keypoints


class BrightDots:
    """Finds bright blobs on a dark ground, and their centres of mass.

    It cannot take an image whose top-left pixel is pure red.
    """

    stride = 8
    detection_noise = 0.5
    seen = 0  # images, by all instances

    @dataclass(frozen=True)
    class Conf:
        max_keypoints: int = 100
        radius: int = 9
        own_descriptors: bool = False

    def __init__(self, conf: Conf, *, device: str = "cpu") -> None:
        self.conf = conf
        self.identity: dict[str, Any] = {"name": "bright-dots"}

    def __call__(self, images: Tensor, masks: Tensor | None = None) -> list[Detections]:
        assert images.dtype == torch.float32
        assert all(side % self.stride == 0 for side in images.shape[-2:])
        if (images[:, :, 0, 0] == torch.tensor([1.0, 0.0, 0.0])).all(dim=1).any():
            raise RuntimeError("no red, please")
        BrightDots.seen += len(images)
        grey = images.mean(dim=1)
        return [self._detect(image) for image in (grey if masks is None else grey * masks)]

    def _detect(self, grey: Tensor) -> Detections:
        r = self.conf.radius
        peaks = nms(torch.where(grey > 0.3, grey, 0)[None], 2 * r + 1)
        points, scores = top_keypoints(peaks, self.conf.max_keypoints)[0]
        H, W = grey.shape
        ys, xs = torch.arange(H)[:, None], torch.arange(W)[None]
        centres = []
        for x, y in points.tolist():
            mass = grey * ((xs - x).abs() <= r) * ((ys - y).abs() <= r)
            centres.append([(mass * xs).sum() / mass.sum(), (mass * ys).sum() / mass.sum()])
        keypoints_px = torch.tensor(centres, dtype=torch.float32).reshape(-1, 2)
        own = torch.ones(len(points), 3) / 3**0.5 if self.conf.own_descriptors else None
        return Detections(keypoints_px, scores, own)


class Position:
    """Describes a point by where it is: 4 numbers of unit length."""

    @dataclass(frozen=True)
    class Conf:
        gain: float = 1.0

    def __init__(self, conf: Conf, *, device: str = "cpu") -> None:
        self.conf = conf
        self.identity: dict[str, Any] = {"name": "position", "dim": 4}

    def __call__(self, image: Tensor, keypoints_px: Tensor) -> Tensor:
        H, W = image.shape[-2:]
        x, y = (keypoints_px * self.conf.gain / torch.tensor([W, H])).unbind(dim=-1)
        angles = torch.stack([x.cos(), x.sin(), y.cos(), y.sin()], dim=-1)
        return angles / 2**0.5
