"""A network asked about an image and its mirrored and turned copies, and the mean of its answers.

What a network says of a place depends a little on which way up the image is: on where its strided
convolutions begin to count, and on what training has left to chance.  The mean does not.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from ...core.config import ConfigError

Orientations = Literal[1, 2, 4, 8]

# Quarter turns and mirroring: as it is; mirrored; both upside down; all that lying on each side.
_COPIES = [
    (0, False),
    (0, True),
    (2, False),
    (2, True),
    (1, False),
    (1, True),
    (3, False),
    (3, True),
]


def checked_orientations(orientations: int) -> Orientations:
    """Raises `ConfigError` for a number of orientations that makes no group."""
    if orientations not in get_args(Orientations):
        raise ConfigError(f"orientations: {orientations} is not one of 1, 2, 4, 8")
    return orientations  # type: ignore[return-value]


def mean_logits(network: nn.Module, images: Tensor, orientations: Orientations) -> Tensor:
    """Float32 logits B×1×H×W of B×3×H×W images: the mean over so many orientations."""
    total = torch.zeros((), device=images.device)
    for turns, mirrored in _COPIES[:orientations]:
        logits = network(_turned(images, turns, mirrored)).float()
        total = total + _turned_back(logits, turns, mirrored)
    return total / orientations


def _turned(images: Tensor, turns: int, mirrored: bool) -> Tensor:
    turned = images.rot90(turns, (2, 3)) if turns else images
    turned = turned.flip(3) if mirrored else turned
    return turned.contiguous(memory_format=torch.channels_last)


def _turned_back(logits: Tensor, turns: int, mirrored: bool) -> Tensor:
    logits = logits.flip(3) if mirrored else logits
    return logits.rot90(-turns, (2, 3)) if turns else logits
