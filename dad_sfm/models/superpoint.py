"""SuperPoint's network, written from the paper; the names of its layers are the checkpoint's.

DeTone, Malisiewicz, Rabinovich, "SuperPoint: Self-Supervised Interest Point Detection and
Description", CVPR Workshops 2018.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import max_pool2d, normalize, pixel_shuffle, relu

CELL = 8  # pixels per side of a cell, of which each has one logit, and the cell one for "no point"
DIM = 256
_WIDTHS = (64, 64, 128, 128)  # channels at 1/1, 1/2, 1/4, 1/8
_HEAD = 256


class SuperPoint(nn.Module):
    """A VGG-like encoder to 1/8, and two heads on it."""

    def __init__(self) -> None:
        super().__init__()
        width_in = 1
        for level, width in enumerate(_WIDTHS, start=1):
            setattr(self, f"conv{level}a", nn.Conv2d(width_in, width, 3, padding=1))
            setattr(self, f"conv{level}b", nn.Conv2d(width, width, 3, padding=1))
            width_in = width
        self.convPa = nn.Conv2d(width_in, _HEAD, 3, padding=1)
        self.convPb = nn.Conv2d(_HEAD, CELL**2 + 1, 1)
        self.convDa = nn.Conv2d(width_in, _HEAD, 3, padding=1)
        self.convDb = nn.Conv2d(_HEAD, DIM, 1)

    def forward(self, grey: Tensor) -> tuple[Tensor, Tensor]:
        """B×1×H×W in [0, 1], sides multiples of 8 -> the probability of a point at each pixel,
        B×H×W, and descriptors of unit length, B×256×(H/8)×(W/8)."""
        x = grey
        for level in range(1, len(_WIDTHS) + 1):
            if level > 1:
                x = max_pool2d(x, 2)
            x = relu(getattr(self, f"conv{level}a")(x))
            x = relu(getattr(self, f"conv{level}b")(x))
        logits = self.convPb(relu(self.convPa(x)))
        probs = pixel_shuffle(logits.softmax(dim=1)[:, :-1], CELL)[:, 0]
        descriptors = self.convDb(relu(self.convDa(x)))
        return probs, normalize(descriptors, dim=1)
