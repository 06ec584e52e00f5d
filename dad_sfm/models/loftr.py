"""LoFTR, kornia's network with the weights of its authors.

Sun et al., "LoFTR: Detector-Free Local Feature Matching with Transformers", CVPR 2021 (Apache-2.0).
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, Literal

from ..core.registry import Licence
from .kornia_version import require_kornia
from .pretrained import Published, load_pretrained

if TYPE_CHECKING:
    from kornia.feature import LoFTR

Variant = Literal["outdoor", "indoor", "indoor_new"]

LICENCE = Licence("Apache-2.0 (zju3dv/LoFTR, kornia)")
KORNIA = "0.9"  # older ones compute the features of an image again for each pair
STRIDE = 8  # pixels between the points that it matches
_URL = "https://cmp.felk.cvut.cz/~mishkdmy/models/loftr_{}.ckpt"
_FILES = {"outdoor": "outdoor", "indoor": "indoor", "indoor_new": "indoor_ds_new"}


def load_loftr(
    variant: Variant, weights: str | None, *, threshold: float, device: str = "cpu"
) -> tuple[LoFTR, dict[str, Any]]:
    """The network, ready for inference, and its identity; see `load_pretrained`.

    variant    "outdoor" (trained on MegaDepth), "indoor" or "indoor_new" (on ScanNet)
    threshold  least score of a match
    """
    require_kornia(KORNIA, "loftr")
    from kornia.feature import LoFTR
    from kornia.feature.loftr.loftr import default_cfg

    config: Any = deepcopy(default_cfg)
    config["match_coarse"]["thr"] = threshold
    config["coarse"]["temp_bug_fix"] = variant == "indoor_new"  # as it was trained
    published = Published(
        f"loftr-{variant}",
        _URL.format(_FILES[variant]),
        inside="state_dict",
        rename=lambda key: key.removeprefix("matcher."),
    )
    return load_pretrained(LoFTR(None, config), published, weights, device=device)
