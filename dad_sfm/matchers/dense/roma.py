"""RoMa, the dense matcher that the DaD paper links keypoints with: an adapter of ``romatch``.

Edstedt et al., "RoMa: Robust Dense Feature Matching", CVPR 2024.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor

from ...core.registry import Licence
from ...geometry.mappings import Warp
from ...models.checkpoints import resolve, sha256_of
from ..at_keypoints import LinkConf
from ..base import MissingPackageError, View
from .base import DenseMatcher


@dataclass(frozen=True)
class RoMaConf(LinkConf):
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
_TOKENS = "x_norm_patchtokens"


class RoMa(DenseMatcher):
    """Its frame is our normalised one: an image spans [-1, 1], and the centre of the first of n
    cells is at -1 + 1/n."""

    Conf = RoMaConf
    licence = Licence("MIT (Parskatt/RoMa), backbone Apache-2.0 (DINOv2)")

    def __init__(self, conf: RoMaConf, *, device: str = "cpu") -> None:
        super().__init__(conf)
        try:
            import romatch
        except ImportError as error:
            raise MissingPackageError(
                "the matcher roma needs the package romatch: pip install romatch"
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
            symmetric=conf.both_ways,
            use_custom_corr=on_gpu,
        )
        self._backbone = _OncePerImage(self._model.encoder.dinov2_vitl14[0])
        self._model.encoder.dinov2_vitl14[0] = self._backbone
        self._lock = threading.Lock()
        self.identity: dict[str, Any] = {
            "name": "roma",
            "variant": conf.variant,
            "weights": sha256_of(weights),
            "backbone": sha256_of(backbone),
        }

    def warp(self, view0: View, view1: View) -> Warp:
        """Where the points of image 0 are in image 1."""
        return _warp(*self._match(view0, view1), slice(2, 4))

    def warps(self, view0: View, view1: View) -> tuple[Warp, Warp]:
        """Both ways in one run, side by side: of B's half, the first two numbers are in A."""
        matches, certainty = self._match(view0, view1)
        (forth, back), (forth_certainty, back_certainty) = (
            found.chunk(2, dim=1) for found in (matches, certainty)
        )
        return (
            _warp(forth, forth_certainty, slice(2, 4)),
            _warp(back, back_certainty, slice(0, 2)),
        )

    def _match(self, view0: View, view1: View) -> tuple[Tensor, Tensor]:
        """H×W×4 (x and y in A, then in B) and H×W; by the package's version with an axis more."""
        with self._lock:  # the backbone knows of one pair at a time
            self._backbone.views = (view0, view1)
            matches, certainty = self._model.match(view0.photo, view1.photo)
        return matches.reshape(*matches.shape[-3:]), certainty.reshape(*certainty.shape[-2:])


def _warp(matches: Tensor, certainty: Tensor, there: slice) -> Warp:
    return Warp(matches[..., there].float().cpu().numpy(), certainty.float().cpu().numpy())


class _OncePerImage:
    """The backbone, which is most of the work, run once per image instead of once per pair."""

    def __init__(self, backbone: Any) -> None:
        self._backbone = backbone
        self.views: tuple[View, ...] = ()

    @property
    def device(self) -> torch.device:
        return next(self._backbone.parameters()).device

    def to(self, *where: Any) -> _OncePerImage:
        self._backbone = self._backbone.to(*where)
        return self

    def forward_features(self, images: Tensor) -> dict[str, Tensor]:
        """Tokens of a batch of two: those of the views."""
        pairs = zip(self.views, images, strict=True)
        tokens = [view.once(_key(image), partial(self._tokens, image)) for view, image in pairs]
        return {_TOKENS: torch.cat(tokens)}

    def _tokens(self, image: Tensor) -> Tensor:
        return self._backbone.forward_features(image[None])[_TOKENS]


def _key(image: Tensor) -> str:
    return f"roma {tuple(image.shape)}"
