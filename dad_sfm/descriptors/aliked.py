"""ALIKED's descriptor head, sampled at the keypoints of any detector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..geometry.pixel_frames import aligned_norm_from_px
from ..models.aliked import LICENCE, Variant, load_aliked


@dataclass(frozen=True)
class ALIKEDHeadConf:
    """Options of `ALIKEDHead`; see `load_aliked`."""

    variant: Variant = "n16"
    weights: str | None = None


@dataclass(frozen=True)
class ALIKEDn16rotHeadConf(ALIKEDHeadConf):
    """`ALIKEDHeadConf` with another variant unless told."""

    variant: Variant = "n16rot"


@dataclass(frozen=True)
class ALIKEDn32HeadConf(ALIKEDHeadConf):
    """`ALIKEDHeadConf` with another variant unless told."""

    variant: Variant = "n32"


class ALIKEDHead:
    """Descriptors by deformable sampling around each point; 128-D (64-D for ``t16``).

    Trained on upright photos, but for ``n16rot``.
    """

    Conf = ALIKEDHeadConf
    licence = LICENCE

    def __init__(self, conf: ALIKEDHeadConf, *, device: str = "cpu") -> None:
        self.network, identity = load_aliked(conf.variant, conf.weights, device=device)
        self._device = next(self.network.parameters()).device
        self._dim: int = self.network.desc_head.sf_conv.out_channels
        self.identity: dict[str, Any] = {**identity, "dim": self._dim}

    @torch.inference_mode()
    def __call__(self, image: Tensor, keypoints_px: Tensor) -> Tensor:
        """Describe points of a 3×H×W image in [0, 1]; see `Descriptor`."""
        if len(keypoints_px) == 0:
            return image.new_zeros(0, self._dim, device=self._device)
        H, W = image.shape[-2:]
        features, _ = self.network.extract_dense_map(image[None].to(self._device))
        points = aligned_norm_from_px(keypoints_px.to(self._device), H=H, W=W)
        (descriptors,), _ = self.network.desc_head(features, [points])
        return descriptors


class ALIKEDn16rotHead(ALIKEDHead):
    """Trained with rotations."""

    Conf = ALIKEDn16rotHeadConf


class ALIKEDn32Head(ALIKEDHead):
    """From 32 deformable samples instead of 16."""

    Conf = ALIKEDn32HeadConf
