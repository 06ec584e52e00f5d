"""DeDoDe's descriptor, sampled at the keypoints of any detector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, normalize, pad

from ..geometry.pixel_frames import norm_from_px
from ..models.dedode import LICENCE, load_descriptor, normalized

DIM = 256
STRIDE = 8


@dataclass(frozen=True)
class DeDoDeBConf:
    """Options of `DeDoDeB`; ``weights`` is the checkpoint, a path or a URL."""

    weights: str | None = None


class DeDoDeB:
    """Dense descriptors of the smaller of DeDoDe's two, read at each point; 256-D.

    Edstedt et al., "DeDoDe: Detect, Don't Describe -- Describe, Don't Detect", 3DV 2024.  Trained
    on upright photos.
    """

    Conf = DeDoDeBConf
    licence = LICENCE

    def __init__(self, conf: DeDoDeBConf, *, device: str = "cpu") -> None:
        self._network, identity = load_descriptor(conf.weights, device=device)
        self._device = next(self._network.parameters()).device
        self.identity: dict[str, Any] = {**identity, "dim": DIM}

    @torch.inference_mode()
    def __call__(self, image: Tensor, keypoints_px: Tensor) -> Tensor:
        """Describe points of a 3×H×W image in [0, 1]; see `Descriptor`."""
        if len(keypoints_px) == 0:
            return image.new_zeros(0, DIM, device=self._device)
        H, W = image.shape[-2:]
        pixels = normalized(image[None].to(self._device))
        pixels = pad(pixels, (0, -W % STRIDE, 0, -H % STRIDE))  # with ImageNet's mean colour
        dense = self._network(pixels)[..., :H, :W].float()
        grid = norm_from_px(keypoints_px.to(self._device), H=H, W=W)[None, None]
        # Points in the outer half pixel are beyond the last centre.
        found = grid_sample(dense, grid, padding_mode="border", align_corners=False)
        return normalize(found[0, :, 0].T, dim=1)
