"""LoMa at any detector's keypoints: an adapter of its authors' package ``lomatch``.

Nordström et al., "LoMa: Local Feature Matching Revisited", 2026.  Its network matches descriptors
of its own, which it computes here at the keypoints of the feature file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from ..core.registry import Licence
from ..core.types import Matches
from ..geometry.pixel_frames import norm_from_px
from ..io.images import to_array
from ..models.checkpoints import resolve, sha256_of
from ..models.hub import local_checkpoints
from .base import MissingPackageError, View

SIDE = 784  # its descriptor works on squares of this side


@dataclass(frozen=True)
class LoMaConf:
    """
    variant           size of the network: B128 and B (as LightGlue), L, G
    weights           its checkpoint: a path or a URL; by default the published one.  B, L and G
                      also look for DINOv2's
    filter_threshold  least score of a match
    """

    variant: Literal["B128", "B", "L", "G"] = "B128"
    weights: str | None = None
    filter_threshold: float = 0.1


class LoMa:
    """Its frame is our normalised one.  Features need no descriptors, and may have any."""

    Conf = LoMaConf
    licence = Licence("MIT (davnords/LoMa), matcher Apache-2.0 (LightGlue)")
    needs_descriptors = False
    needs_images = True

    def __init__(self, conf: LoMaConf, *, device: str = "cpu") -> None:
        """The package chooses its device itself; ``device`` is where the weights are read to."""
        try:
            import loma
        except ImportError as error:
            raise MissingPackageError(
                "the matcher loma needs the package lomatch: pip install lomatch"
            ) from error
        chosen = getattr(loma, f"LoMa{conf.variant}")()
        weights = resolve(conf.weights, url=chosen.weights_url)
        with local_checkpoints({chosen.weights_url: weights}, device=device):
            self._model = loma.LoMa(replace(chosen, filter_threshold=conf.filter_threshold))
        self._threshold = conf.filter_threshold
        self.identity: dict[str, Any] = {
            "name": f"loma-{conf.variant}",
            "weights": sha256_of(weights),
        }

    @torch.inference_mode()
    def __call__(self, view0: View, view1: View) -> Matches:
        """Match two views; a match is the best of both keypoints, its score LoMa's."""
        n = len(view0.features)
        matches0, scores0 = np.full(n, -1, np.int32), np.zeros(n, np.float32)
        if n and len(view1.features):
            (points0, described0), (points1, described1) = map(self._described, (view0, view1))
            scores = self._model(points0, points1, described0, described1)["scores"][0].float()
            best, there = scores.max(dim=1)
            rows = torch.arange(n, device=scores.device)
            kept = ((scores.argmax(dim=0)[there] == rows) & (best > self._threshold)).cpu().numpy()
            matches0[kept] = there.cpu().numpy()[kept]
            scores0[kept] = best.cpu().numpy()[kept]
        return Matches(matches0, scores0)

    def _described(self, view: View) -> tuple[Tensor, Tensor]:
        """1×N×2 normalised points and their 1×N×D descriptors."""
        return view.once("loma", lambda: self._describe(view))

    def _describe(self, view: View) -> tuple[Tensor, Tensor]:
        found, (W, H) = view.upright_features, view.photo.size
        points = torch.from_numpy(norm_from_px(found.keypoints_px, H=H, W=W))[None].float()
        pixels = np.ascontiguousarray(to_array(view.photo, (SIDE, SIDE)).transpose(2, 0, 1))
        image = torch.from_numpy(pixels)[None].float() / 255
        described = self._model._descriptor.describe_keypoints(image, points)
        return points, described["descriptions"]
