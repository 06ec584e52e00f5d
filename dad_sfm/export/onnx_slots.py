"""The places in other programs that a detector of ours can fill, as graphs with their signatures.

COLMAP checks inputs and outputs by name and in order.  Its two slots hand over a photo as RGB in
[0, 1] and differ in the frame of the points that they want back.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..descriptors.base import Descriptor
from ..geometry.pixel_frames import aligned_norm_from_px, norm_from_px
from .keypoint_graph import NO_POINT, KeypointGraph

_SIDES = {2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC}
_IMAGE = torch.linspace(0, 1, 3 * 256 * 320).reshape(1, 3, 256, 320)  # any; only shapes are traced


class Slot(nn.Module):
    """A graph and what the program that runs it expects.

    inputs, outputs  names, in order
    example          values of the inputs to trace the graph with
    dynamic          which dimensions of the inputs may differ from the example's
    usage            options of ``colmap feature_extractor``, or what else the user must know;
                     ``{file}``, ``{points}`` and ``{size}`` to be filled in
    describes        whether it needs a descriptor
    most             the budget of the preset
    """

    inputs: ClassVar[tuple[str, ...]]
    outputs: ClassVar[tuple[str, ...]]
    example: ClassVar[tuple[Tensor, ...]]
    dynamic: ClassVar[dict[str, Any]]
    usage: ClassVar[str]
    describes: ClassVar[bool] = False

    def __init__(self, points: KeypointGraph, descriptor: Descriptor | None, most: int) -> None:
        super().__init__()
        self.points = points
        self.descriptor = descriptor
        self.network = getattr(descriptor, "network", None)  # a module knows what it registers
        self.most = most


class LomaDetector(Slot):
    """COLMAP's detector of LoMa, made for DaD: exactly as many rows as asked for, in our
    normalised frame; rows without a point have a negative score, which COLMAP drops."""

    inputs = ("image", "num_keypoints")
    outputs = ("keypoints", "keypoint_probs")
    example = (_IMAGE, torch.tensor([512]))
    dynamic: ClassVar[dict[str, Any]] = {"image": _SIDES, "num_keypoints": None}
    usage = (
        "--FeatureExtraction.type LOMA_B --FeatureExtraction.max_image_size {size} "
        "--LomaExtraction.detector_model_path {file} "
        "--LomaExtraction.max_num_features {points} --LomaExtraction.min_score 0"
    )

    def forward(self, image: Tensor, num_keypoints: Tensor) -> tuple[Tensor, Tensor]:
        H, W = image.shape[-2:]
        number = num_keypoints[0].item()
        torch._check(number >= 1)  # the exporter knows nothing of it otherwise
        points, scores = self.points(image, number)
        return norm_from_px(points, H=H, W=W)[None], scores[None]


class AlikedExtractor(Slot):
    """COLMAP's ALIKED: points and descriptors of an image that COLMAP has padded to multiples of
    32, in the frame whose -1 and 1 are the centres of the outer pixels.

    There are always as many rows as the preset's budget; those that COLMAP does not want have a
    negative score, and it drops them.  ALIKED's scores go up to 1 and COLMAP's default threshold is
    0.2; ours are probabilities of single pixels, so the threshold must be 0.
    """

    inputs = ("image", "max_keypoints", "min_score")
    outputs = ("keypoints", "descriptors", "scores")
    example = (_IMAGE, torch.tensor(512), torch.tensor(0.0))
    dynamic: ClassVar[dict[str, Any]] = {"image": _SIDES, "max_keypoints": None, "min_score": None}
    usage = (
        "--FeatureExtraction.type ALIKED_N16ROT --FeatureExtraction.max_image_size {size} "
        "--AlikedExtraction.n16rot_model_path {file} "
        "--AlikedExtraction.max_num_features {points} --AlikedExtraction.min_score 0"
    )
    describes = True

    def forward(
        self, image: Tensor, max_keypoints: Tensor, min_score: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        assert self.descriptor is not None
        H, W = image.shape[-2:]
        points, scores = self.points(image, self.most)
        descriptors = self.descriptor(image[0], points)
        wanted = (torch.arange(self.most) < max_keypoints) & (scores >= min_score)
        scores = torch.where(wanted, scores, NO_POINT)
        return aligned_norm_from_px(points, H=H, W=W)[None], descriptors[None], scores[None]


class DenseMap(Slot):
    """The map that points are chosen from, for programs that choose for themselves."""

    inputs = ("image",)
    outputs = ("scoremap",)
    example = (_IMAGE,)
    dynamic: ClassVar[dict[str, Any]] = {"image": _SIDES}
    usage = "input image 1x3xHxW, RGB in [0, 1]; output scoremap 1x1xHxW, logits"

    def forward(self, image: Tensor) -> Tensor:
        return self.points.logits(image)[None, None]


SLOTS: dict[str, type[Slot]] = {
    "colmap-loma": LomaDetector,
    "colmap-aliked": AlikedExtractor,
    "dense": DenseMap,
}
