"""SuperPoint and Reinforced Feature Points, detectors and descriptors: peers to measure against.

Their weights may not be passed on, and are never downloaded: the user names the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from kornia.color import rgb_to_grayscale
from kornia.geometry.subpix import nms2d
from torch import Tensor
from torch.nn.functional import grid_sample, normalize

from ..core.registry import Licence
from ..geometry.pixel_frames import norm_from_px
from ..models.pretrained import Published, load_pretrained
from ..models.superpoint import CELL, DIM, SuperPoint
from .base import Detections


@dataclass(frozen=True)
class SuperPointConf:
    """Options of both.

    nms_radius           a point is the maximum of the (2 * nms_radius + 1)² pixels around it
    detection_threshold  least probability
    border               no point in so many outer pixels, nor in the outer ``nms_radius``
    weights              the checkpoint, a path or a URL
    """

    max_keypoints: int = 2048
    nms_radius: int = 4
    detection_threshold: float = 0.005
    border: int = 4
    weights: str | None = None


class SuperPointPlugin:
    """The best local maxima of SuperPoint's heat map, on whole pixels; 256-D descriptors.

    A descriptor is read where the point lies between the centres of the cells.  The authors' own
    sampling is off by up to half a cell, and SuperGlue's and LightGlue's by a little.
    """

    Conf = SuperPointConf
    licence = Licence("non-commercial research only (Magic Leap)", commercial=False)
    stride = CELL
    _published = Published(
        "superpoint",
        filename="superpoint_v1.pth",
        page="https://github.com/magicleap/SuperPointPretrainedNetwork",
    )

    def __init__(self, conf: SuperPointConf, *, device: str = "cpu") -> None:
        if conf.max_keypoints < 1 or conf.nms_radius < 1 or conf.border < 0:
            raise ValueError(
                f"{self._published.name}: max_keypoints and nms_radius must be at least 1, border "
                "at least 0"
            )
        self._conf = conf
        self._network, identity = load_pretrained(
            SuperPoint(), self._published, conf.weights, device=device
        )
        self._device = next(self._network.parameters()).device
        self.identity: dict[str, Any] = {**identity, "dim": DIM}

    @torch.inference_mode()
    def __call__(self, images: Tensor, masks: Tensor | None = None) -> list[Detections]:
        """Detect and describe in a batch of B×3×H×W images in [0, 1]; see `Detector`."""
        probs, descriptors = self._network(rgb_to_grayscale(images.to(self._device)))
        size = 2 * self._conf.nms_radius + 1
        peaks = nms2d(probs[:, None], (size, size), mask_only=True)[:, 0]
        peaks &= probs > self._conf.detection_threshold
        if masks is not None:
            peaks &= masks.to(peaks.device)
        return [self._best(*each) for each in zip(peaks, probs, descriptors, strict=True)]

    def _best(self, peaks: Tensor, probs: Tensor, dense: Tensor) -> Detections:
        H, W = probs.shape
        y, x = peaks.nonzero(as_tuple=True)
        # kornia up to 0.8.3 takes points whose window is cut by the border.
        b = max(self._conf.border, self._conf.nms_radius)
        inside = (x >= b) & (x < W - b) & (y >= b) & (y < H - b)
        y, x = y[inside], x[inside]
        scores, order = probs[y, x].sort(descending=True, stable=True)
        order = order[: self._conf.max_keypoints]
        points = torch.stack([x, y], dim=-1)[order].float()
        grid = norm_from_px(points, H=H, W=W)[None, None]
        found = grid_sample(dense[None], grid, padding_mode="border", align_corners=False)
        return Detections(points, scores[: len(order)], normalize(found[0, :, 0].T, dim=1))


class ReinforcedPlugin(SuperPointPlugin):
    """SuperPoint's network, trained on from its weights by the error of relative poses.

    Bhowmik et al., "Reinforced Feature Points: Optimizing Feature Detection and Description for a
    High-Level Task", CVPR 2020.  Its repository states no licence.
    """

    licence = Licence(
        "none stated (aritra0593/Reinforced-Feature-Points), from non-commercial weights",
        commercial=False,
    )
    _published = Published(
        "reinforced-feature-points",
        filename="baseline_mixed_loss.pth",
        page="https://github.com/aritra0593/Reinforced-Feature-Points",
    )
