"""DeDoDe's two networks, which its detector and its descriptor stand on.

Edstedt et al., "DeDoDe: Detect, Don't Describe -- Describe, Don't Detect", 3DV 2024, and "DeDoDe
v2", 2024 (MIT).  The networks are kornia's; the weights are the authors'.
"""

from __future__ import annotations

from typing import Any

from kornia.enhance import normalize
from kornia.feature.dedode.dedode_models import get_descriptor, get_detector
from torch import Tensor, nn

from ..core.registry import Licence
from .pretrained import Published, load_pretrained

LICENCE = Licence("MIT (Parskatt/DeDoDe), network Apache-2.0 (kornia)")
_RELEASES = "https://github.com/Parskatt/DeDoDe/releases/download"
_DETECTOR = Published("dedode-v2", f"{_RELEASES}/v2/dedode_detector_L_v2.pth")
_DESCRIPTOR = Published("dedode-b", f"{_RELEASES}/dedode_pretrained_models/dedode_descriptor_B.pth")
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's


def load_detector(weights: str | None, *, device: str) -> tuple[nn.Module, dict[str, Any]]:
    """The detector of version 2 and its identity; see `load_pretrained`.

    It takes `normalized` images and gives logits, B×1×H×W.
    """
    return load_pretrained(get_detector("L"), _DETECTOR, weights, device=device)


def load_descriptor(weights: str | None, *, device: str) -> tuple[nn.Module, dict[str, Any]]:
    """The smaller of the descriptors, B, and its identity; see `load_pretrained`.

    It takes `normalized` images and gives a descriptor of no certain length at each pixel,
    B×256×H×W.
    """
    return load_pretrained(get_descriptor("B"), _DESCRIPTOR, weights, device=device)


def normalized(images: Tensor) -> Tensor:
    """B×3×H×W images in [0, 1] as both networks want them."""
    # kornia up to 0.8.3 takes no images whose memory is not in one piece.
    return normalize(images.contiguous(), images.new_tensor(_MEAN), images.new_tensor(_STD))
