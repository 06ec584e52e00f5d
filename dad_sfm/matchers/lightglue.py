"""LightGlue: keypoints and descriptors of both images through one network.

Lindenberger et al., "LightGlue: Local Feature Matching at Light Speed", ICCV 2023.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ..core.registry import Licence
from ..core.types import Matches
from ..geometry.pixel_frames import colmap_from_px
from ..models.lightglue import KINDS, load_lightglue
from .base import Requirements, View
from .descriptors import descriptors_of

SIFT_SIDE = 1024  # long side of the images that its weights for SIFT were trained on


@dataclass(frozen=True)
class LightGlueConf:
    """Options of `LightGlue`, with its authors' names.

    features          the kind of features that the weights are for
    weights           a path or a URL of a checkpoint; by default the published one
    filter_threshold  least score of a match
    depth_confidence  ends early where most keypoints are decided; -1: never.  None: as published
    width_confidence  leaves out keypoints that are decided; -1: none.  None: as published
    """

    features: Literal["aliked", "disk", "superpoint", "sift", "xfeat", "dedodeb"]
    weights: str | None = None
    filter_threshold: float = 0.1
    depth_confidence: float | None = None
    width_confidence: float | None = None


class LightGlue:
    """Its frame: pixels over the half long side, from the centre of the image, which is at W/2 and
    H/2; so it is given COLMAP's frame, in which that is the centre and no keypoint is outside.
    """

    Conf = LightGlueConf
    licence = Licence("Apache-2.0 (cvg/LightGlue, kornia)")
    needs_descriptors = True
    needs_images = False

    def __init__(self, conf: LightGlueConf, *, device: str = "cpu") -> None:
        options = {
            "filter_threshold": conf.filter_threshold,
            "depth_confidence": conf.depth_confidence,
            "width_confidence": conf.width_confidence,
        }
        given = {key: value for key, value in options.items() if value is not None}
        self._network, self.identity = load_lightglue(
            conf.features, conf.weights, given, device=device
        )
        self._kind = KINDS[conf.features]
        self._device = next(self._network.parameters()).device

    @staticmethod
    def requirements(conf: LightGlueConf) -> Requirements:
        """The descriptors that the weights are for."""
        kind = KINDS[conf.features]
        return Requirements(kind.descriptors, kind.dim, kind.frames)

    @torch.inference_mode()
    def __call__(self, view0: View, view1: View) -> Matches:
        """Match two views; scores are LightGlue's."""
        if len(view0.features) == 0 or len(view1.features) == 0:
            n = len(view0.features)
            return Matches(np.full(n, -1, np.int32), np.zeros(n, np.float32))
        found = self._network({f"image{i}": self._input(v) for i, v in enumerate((view0, view1))})
        matches0 = found["matches0"][0].cpu().numpy().astype(np.int32)
        scores0 = found["matching_scores0"][0].float().cpu().numpy()
        return Matches(matches0, np.where(matches0 >= 0, scores0, 0).astype(np.float32))

    def _input(self, view: View) -> dict[str, Tensor]:
        return view.once(f"lightglue {self._device}", lambda: self._make_input(view))

    def _make_input(self, view: View) -> dict[str, Tensor]:
        found = view.features
        arrays = {
            "keypoints": colmap_from_px(found.keypoints_px).clip(0, found.image_size),
            "descriptors": descriptors_of(view),
            "image_size": np.array(found.image_size),
        }
        if self._kind.frames:
            if found.scales is None or found.oris is None:
                raise ValueError(f"{view.name}: the keypoints have no scales and orientations")
            # Of an image resized as the training's were, while keypoints go by the image's size.
            shrunk = min(1.0, SIFT_SIDE / max(found.image_size))
            arrays["scales"] = found.scales * shrunk
            arrays["oris"] = np.radians(found.oris)
        tensors = {key: torch.from_numpy(np.ascontiguousarray(v)) for key, v in arrays.items()}
        return {key: value[None].float().to(self._device) for key, value in tensors.items()}
