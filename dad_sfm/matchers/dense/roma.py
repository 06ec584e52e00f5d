"""RoMa, the dense matcher that the DaD paper links keypoints with: an adapter of ``romatch``.

Edstedt et al., "RoMa: Robust Dense Feature Matching", CVPR 2024.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from ...core.registry import Licence
from ...models.checkpoints import resolve, sha256_of
from .base import MissingMatcherError, Warp


@dataclass(frozen=True)
class RoMaConf:
    """
    variant         outdoor or indoor weights
    weights         their checkpoint: a path or a URL; by default the published one
    dinov2_weights  that of its DINOv2 ViT-L/14 backbone, likewise
    """

    variant: Literal["outdoor", "indoor"] = "outdoor"
    weights: str | None = None
    dinov2_weights: str | None = None


URLS = {
    "outdoor": "https://github.com/Parskatt/storage/releases/download/roma/roma_outdoor.pth",
    "indoor": "https://github.com/Parskatt/storage/releases/download/roma/roma_indoor.pth",
}
DINOV2_URL = "https://dl.fbaipublicfiles.com/dinov2/dinov2_vitl14/dinov2_vitl14_pretrain.pth"


class RoMa:
    """One direction only, A to B, as in the paper's evaluation."""

    Conf = RoMaConf
    licence = Licence("MIT (Parskatt/RoMa), backbone Apache-2.0 (DINOv2)")

    def __init__(self, conf: RoMaConf, *, device: str = "cpu") -> None:
        try:
            import romatch
        except ImportError as error:
            raise MissingMatcherError(
                "the linker roma needs the package romatch: pip install romatch"
            ) from error
        weights = resolve(conf.weights, url=URLS[conf.variant])
        backbone = resolve(conf.dinov2_weights, url=DINOV2_URL)
        make = {"outdoor": romatch.roma_outdoor, "indoor": romatch.roma_indoor}[conf.variant]
        on_gpu = device.startswith("cuda")
        self._model = make(
            device=torch.device(device),
            weights=torch.load(weights, map_location=device, weights_only=True),
            dinov2_weights=torch.load(backbone, map_location=device, weights_only=True),
            amp_dtype=torch.float16 if on_gpu else torch.float32,
            symmetric=False,
            use_custom_corr=on_gpu,
        )
        self.identity: dict[str, Any] = {
            "name": "roma",
            "variant": conf.variant,
            "weights": sha256_of(weights),
            "backbone": sha256_of(backbone),
        }

    def match(self, path_a: Path, path_b: Path) -> Warp:
        """The warp of a pair of photos."""
        warp, certainty = self._model.match(str(path_a), str(path_b))
        # H×W×4 (or 1×H×W×4, by version): where each point is in A, then in B.
        grid = warp.reshape(*warp.shape[-3:])[..., 2:]
        return Warp(
            grid.float().cpu().numpy(),
            certainty.reshape(*certainty.shape[-2:]).float().cpu().numpy(),
        )
