"""RoMa v2: an adapter of its authors' package ``romav2``.

Edstedt et al., "RoMa v2: Harder Better Faster Denser Feature Matching", 2025.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ...core.registry import Licence
from ...models.checkpoints import resolve, sha256_of
from .base import MissingMatcherError, Warp

URL = "https://github.com/Parskatt/RoMaV2/releases/download/weights/romav2.pt"


@dataclass(frozen=True)
class RoMaV2Conf:
    """
    setting  its preset of resolutions: turbo, fast, base, precise, mega1500, scannet1500
    weights  a path or a URL; by default the published checkpoint

    The package takes its backbone's code (DINOv3) from torch.hub, which fetches it once.
    """

    setting: str = "precise"
    weights: str | None = None


@contextmanager
def _fetched(state: dict[str, Any]) -> Iterator[None]:
    """Makes torch.hub find these weights at any address: the package knows of no other way to get
    its own, and there may be no network."""
    fetch = torch.hub.load_state_dict_from_url
    torch.hub.load_state_dict_from_url = lambda *_, **__: state
    try:
        yield
    finally:
        torch.hub.load_state_dict_from_url = fetch


class RoMaV2:
    """The warp from A to B."""

    Conf = RoMaV2Conf
    licence = Licence("MIT (Parskatt/RoMaV2), backbone under the DINOv3 licence")

    def __init__(self, conf: RoMaV2Conf, *, device: str = "cpu") -> None:
        """The package chooses its device itself; ``device`` is where the weights are read to."""
        try:
            import romav2
        except ImportError as error:
            raise MissingMatcherError(
                "the linker roma-v2 needs the package romav2: pip install romav2"
            ) from error
        weights = resolve(conf.weights, url=URL)
        kind = romav2.RoMaV2
        with _fetched(torch.load(weights, map_location=device, weights_only=True)):
            self._model = kind(kind.Cfg(setting=conf.setting, compile=False))
        self.identity: dict[str, Any] = {
            "name": "roma-v2",
            "setting": conf.setting,
            "weights": sha256_of(weights),
        }

    def match(self, path_a: Path, path_b: Path) -> Warp:
        """The warp of a pair of photos; its certainty is the share of overlap."""
        found = self._model.match(str(path_a), str(path_b))
        return Warp(
            found["warp_AB"][0].float().cpu().numpy(),
            found["overlap_AB"][0, ..., 0].float().cpu().numpy(),
        )
