"""LightGlue: kornia's network with the weights that are published for each kind of feature.

Lindenberger et al., "LightGlue: Local Feature Matching at Light Speed", ICCV 2023; LighterGlue is
XFeat's (Potje et al., "XFeat", CVPR 2024).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .kornia_version import require_kornia
from .pretrained import Published, load_pretrained

if TYPE_CHECKING:
    from kornia.feature import LightGlue

KORNIA = "0.9"  # older ones leave the network in training mode
_CVG = "https://github.com/cvg/LightGlue/releases/download/v0.1_arxiv"
_XFEAT = "https://github.com/verlab/accelerated_features/raw/main/weights"
_CMP = "https://cmp.felk.cvut.cz/~mishkdmy/models"


@dataclass(frozen=True)
class Kind:
    """A kind of feature that there are weights for.

    descriptors  names of our descriptors, and of detectors with their own, that are of this kind
    dim          of them
    url          the published checkpoint
    filename     its name in the caches of kornia and of the authors' package
    frames       whether the network sees scales and orientations
    terms        licence of the weights
    """

    descriptors: tuple[str, ...]
    dim: int
    url: str
    filename: str
    frames: bool = False
    terms: str = "Apache-2.0 (cvg/LightGlue)"


def _cvg(name: str, descriptors: tuple[str, ...], dim: int, *, frames: bool = False) -> Kind:
    file = f"{name}_lightglue"
    return Kind(descriptors, dim, f"{_CVG}/{file}.pth", f"{file}_v0-1_arxiv.pth", frames)


KINDS: dict[str, Kind] = {
    # Trained on n16; hloc and COLMAP use the same weights with the others.
    "aliked": _cvg("aliked", ("aliked-n16", "aliked-n16rot", "aliked-n32"), 128),
    "disk": _cvg("disk", ("disk-depth",), 128),
    "superpoint": _cvg("superpoint", ("superpoint",), 256),
    "sift": _cvg("sift", ("sift",), 128, frames=True),
    "xfeat": Kind(
        ("xfeat",),
        64,
        f"{_XFEAT}/xfeat-lighterglue.pt",
        "xfeat-lighterglue.pt",
        terms="Apache-2.0 (verlab/accelerated_features)",
    ),
    "dedodeb": Kind(
        ("dedode-b",),
        256,
        f"{_CMP}/dedodeb_lightglue.pth",
        "dedodeb_lightglue.pth",
        terms="Apache-2.0 (kornia)",
    ),
}


def load_lightglue(
    kind: str, weights: str | None, options: dict[str, Any], *, device: str = "cpu"
) -> tuple[LightGlue, dict[str, Any]]:
    """The network of one of `KINDS`, ready for inference, and its identity; see `load_pretrained`.

    options  changes to kornia's configuration of the kind, such as ``filter_threshold``
    """
    require_kornia(KORNIA, "lightglue")
    from kornia.feature import LightGlue

    none: Any = None  # a configuration of no kind, which fetches no weights
    own = {**LightGlue.features[kind], **options, "weights": None}
    published = Published(
        f"lightglue-{kind}",
        KINDS[kind].url,
        filename=KINDS[kind].filename,
        rename=_key,
        constants=frozenset({"confidence_thresholds"}),
    )
    return load_pretrained(LightGlue(none, **own), published, weights, device=device)


def _key(name: str) -> str:
    """The network's name of a key of a published checkpoint."""
    name = name.removeprefix("matcher.")
    return re.sub(r"^(self|cross)_attn\.(\d+)\.", r"transformers.\2.\1_attn.", name)
