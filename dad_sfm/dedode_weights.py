"""What DeDoDe's detector and descriptor have in common.  The networks are kornia's."""

from __future__ import annotations

from kornia.enhance import normalize
from torch import Tensor

from .pretrained import Published
from .registry import Licence

LICENCE = Licence("MIT (Parskatt/DeDoDe), network Apache-2.0 (kornia)")
_RELEASES = "https://github.com/Parskatt/DeDoDe/releases/download"
DETECTOR = Published("dedode-v2", f"{_RELEASES}/v2/dedode_detector_L_v2.pth")
DESCRIPTOR_B = Published(
    "dedode-b", f"{_RELEASES}/dedode_pretrained_models/dedode_descriptor_B.pth"
)

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's


def normalized(images: Tensor) -> Tensor:
    """B×3×H×W images in [0, 1] as the networks want them."""
    return normalize(images, images.new_tensor(_MEAN), images.new_tensor(_STD))
