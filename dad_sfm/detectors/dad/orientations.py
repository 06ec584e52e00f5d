"""A network asked about an image and its mirrored and turned copies, and the mean of its answers.

What a network says of a place depends a little on which way up the image is: on where its strided
convolutions begin to count, and on what training has left to chance.  The mean does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from ...core.config import ConfigError
from ...models.encoding import EncodingNetwork

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
    return features_and_logits(network, images, orientations)[1]


def features_and_logits(
    network: nn.Module | EncodingNetwork, images: Tensor, orientations: Orientations
) -> tuple[Sequence[Tensor], Tensor]:
    """The encoder's features of the images as they are, and `mean_logits`.

    A network that is no `EncodingNetwork` has no features to show.
    """
    features: Sequence[Tensor] = ()
    total = torch.zeros((), device=images.device)
    for turns, mirrored in _COPIES[:orientations]:
        turned = _turned(images, turns, mirrored)
        if isinstance(network, EncodingNetwork):
            found = network.encode(turned)
            logits = network.decode(found, turned)
            features = features or found
        else:
            logits = network(turned)
        total = total + _turned_back(logits.float(), turns, mirrored)
    return features, total / orientations


def _turned(images: Tensor, turns: int, mirrored: bool) -> Tensor:
    turned = images.rot90(turns, (2, 3)) if turns else images
    turned = turned.flip(3) if mirrored else turned
    return turned.contiguous(memory_format=torch.channels_last)


def _turned_back(logits: Tensor, turns: int, mirrored: bool) -> Tensor:
    logits = logits.flip(3) if mirrored else logits
    return logits.rot90(-turns, (2, 3)) if turns else logits
