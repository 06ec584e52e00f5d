"""ALIKED, the network that both its detector and its descriptor head stand on.

Zhao et al., "ALIKED: A Lighter Keypoint and Descriptor Extraction Network via Deformable
Transformation", 2023 (BSD-3).  The network is kornia's; the weights are the authors'.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ..core.registry import Licence
from .kornia_version import require_kornia
from .pretrained import Published, load_pretrained

if TYPE_CHECKING:
    from kornia.feature import ALIKED

Variant = Literal["n16", "n16rot", "n32", "t16"]

LICENCE = Licence("BSD-3-Clause (Shiaoming/ALIKED), network Apache-2.0 (kornia)")
_URL = "https://github.com/Shiaoming/ALIKED/raw/main/models/aliked-{}.pth"
_SHA256: dict[str, str] = {
    "n16": "5be8704840ed662d9d8c561bf7279c222092674e7eb05fd0feab94899e9d82f2",
    "n16rot": "ddf3abbf38e86f6a74540d214e1a9712c54b2d8551abc864542199f2347d7332",
    "n32": "055283fd1624d3ab46a05c3b617b1a79a3f28d1f551737eef2d653e8c8232890",
    "t16": "56782336919db220144a884e710e2b6af13b3b8f8da15b915a239078ab471085",
}


def load_aliked(
    variant: Variant, weights: str | None, *, device: str = "cpu"
) -> tuple[ALIKED, dict[str, Any]]:
    """The network with its weights, ready for inference, and its identity.

    variant  "n16" (default of the authors), "n16rot" (trained with rotations), "n32", "t16" (64-D)
    weights  a local path or a URL of a checkpoint of that variant; None for the published one,
             from where `dad_sfm.checkpoints` looks, or downloaded

    Raises `CheckpointError` when it cannot be had, or does not fit the variant; ImportError where
    kornia is too old for it.
    """
    require_kornia("0.8.3", f"aliked-{variant}")
    from kornia.feature import ALIKED

    published = Published(
        f"aliked-{variant}",
        _URL.format(variant),
        sha256=_SHA256[variant],
        # A constant of kornia's detector that the authors' checkpoints do not hold.
        constants=frozenset({"dkd.hw_grid"}),
    )
    return load_pretrained(ALIKED(f"aliked-{variant}"), published, weights, device=device)
