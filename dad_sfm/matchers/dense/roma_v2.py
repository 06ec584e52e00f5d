"""RoMa v2: an adapter of its authors' package ``romav2``.

Edstedt et al., "RoMa v2: Harder Better Faster Denser Feature Matching", 2025.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ...core.registry import Licence
from ...geometry.mappings import Warp
from ...models.checkpoints import CheckpointError, resolve, sha256_of
from ...models.hub import local_checkpoints
from ..at_keypoints import LinkConf
from ..base import MissingPackageError, View
from .base import DenseMatcher

_RELEASES = "https://github.com/Parskatt/RoMaV2/releases/download"
# Releases differ in the local correlation of their refiners, and each has weights of its own; they
# have the same names and shapes, so that those of another release would load and be wrong.
URLS = {
    "2.0.0": f"{_RELEASES}/weights/romav2.pt",
    "2.0.1": f"{_RELEASES}/v2.0.1/romav2.0.1.pt",
}


@dataclass(frozen=True)
class RoMaV2Conf(LinkConf):
    """
    setting  its preset of resolutions: turbo, fast, base, precise, mega1500, scannet1500; only
             the last three give both ways in one run
    weights  a path or a URL; by default what is published for the installed release

    The package takes its backbone's code (DINOv3) from torch.hub, which fetches it once.
    """

    setting: str = "precise"
    weights: str | None = None


class RoMaV2(DenseMatcher):
    """Its frame is our normalised one; certainty is the share of overlap."""

    Conf = RoMaV2Conf
    licence = Licence("MIT (Parskatt/RoMaV2), backbone under the DINOv3 licence")

    def __init__(self, conf: RoMaV2Conf, *, device: str = "cpu") -> None:
        """The package chooses its device itself; ``device`` is where the weights are read to."""
        super().__init__(conf)
        try:
            import romav2
        except ImportError as error:
            raise MissingPackageError(
                "the matcher roma-v2 needs the package romav2: pip install romav2"
            ) from error
        release = metadata.version("romav2")
        weights = find_weights(conf.weights, release)
        kind = romav2.RoMaV2
        # It asks for its own release's weights, whatever the user has.
        with local_checkpoints(dict.fromkeys(URLS.values(), weights), device=device):
            self._model = kind(kind.Cfg(setting=conf.setting, compile=False))
        self._backbone = self._model.f = _OncePerImage(self._model.f)
        self._lock = threading.Lock()
        self.identity: dict[str, Any] = {
            "name": "roma-v2",
            "setting": conf.setting,
            "release": release,
            "weights": sha256_of(weights),
        }

    def warp(self, view0: View, view1: View) -> Warp:
        """Where the points of image 0 are in image 1."""
        return _warp(self._match(view0, view1), "AB")

    def warps(self, view0: View, view1: View) -> tuple[Warp, Warp]:
        """Both ways, in one run where the setting gives them."""
        found = self._match(view0, view1)
        turned = found if found.get("warp_BA") is not None else None
        back = _warp(turned, "BA") if turned is not None else self.warp(view1, view0)
        return _warp(found, "AB"), back

    def _match(self, view0: View, view1: View) -> dict[str, Tensor]:
        with self._lock:  # the backbone knows of one pair at a time
            self._backbone.views = [view0, view1]
            return self._model.match(view0.photo, view1.photo)


def find_weights(source: str | None, release: str) -> Path:
    """The checkpoint for an installed release of the package; see `resolve`.

    Raises `CheckpointError` for a release that is not known, unless a file is named; and for a
    file that has the name of another release's.
    """
    others = {url.rpartition("/")[2]: r for r, url in URLS.items() if r != release}
    if source is None:
        if release not in URLS:
            raise CheckpointError(
                f"romav2 {release} is not known here (known: {', '.join(URLS)}); give its own "
                "checkpoint as the option 'weights'"
            )
        return resolve(None, url=URLS[release])
    name = source.rpartition("/")[2]
    if name in others:
        raise CheckpointError(
            f"{source} is the checkpoint of romav2 {others[name]}, but {release} is installed, "
            "whose correlation differs"
        )
    return resolve(source)


def _warp(found: dict[str, Tensor], direction: str) -> Warp:
    return Warp(
        found[f"warp_{direction}"][0].float().cpu().numpy(),
        found[f"overlap_{direction}"][0, ..., 0].float().cpu().numpy(),
    )


class _OncePerImage(nn.Module):
    """The backbone, run once per image instead of once per pair: it is asked for A, then for B."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.views: list[View] = []

    def forward(self, image: Tensor) -> list[Tensor]:
        return self.views.pop(0).once("roma-v2", lambda: self.backbone(image))
