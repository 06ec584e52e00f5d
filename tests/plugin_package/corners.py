"""A detector that another package brings: Shi-Tomasi corners by kornia."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from kornia.color import rgb_to_grayscale
from kornia.feature import gftt_response
from torch import Tensor
from torch.nn.functional import max_pool2d

from dad_sfm.core.registry import Licence
from dad_sfm.detectors.base import Detections


@dataclass(frozen=True)
class CornersConf:
    """Options of `Corners`."""

    max_keypoints: int = 2048


class Corners:
    """Local maxima of the smaller eigenvalue of the structure tensor."""

    Conf = CornersConf
    licence = Licence("MIT")
    stride = 1
    describes = False

    def __init__(self, conf: CornersConf, *, device: str = "cpu") -> None:
        self.identity = {"name": "corners"}
        self._most = conf.max_keypoints

    def __call__(self, images: Tensor) -> list[Detections]:
        response = gftt_response(rgb_to_grayscale(images))[:, 0]
        peaks = response * (response == max_pool2d(response[:, None], 5, 1, 2)[:, 0])
        return [self._best(each) for each in peaks]

    def _best(self, peaks: Tensor) -> Detections:
        scores, index = peaks.flatten().topk(min(self._most, peaks.numel()))
        index, scores = index[scores > 0], scores[scores > 0]
        W = peaks.shape[1]
        points = torch.stack([index % W, index // W], dim=-1).float()
        return Detections(points, scores)
