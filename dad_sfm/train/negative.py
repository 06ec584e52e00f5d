"""The network that sees the negative: where one finds light points, the other finds dark ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..core.config import ConfigError
from ..models.imagenet import normalize


@torch.no_grad()
def negative(network: nn.Module) -> nn.Module:
    """Change a network of `NETWORKS` in place so that image x gives what 1 - x gave; returns it.

    A light detector so becomes a dark one, which is a far better start for training the other
    polarity than random weights, or than weights that look for the first.  The convolutions that
    read the image (named by the network's ``reads_image``) are negated, and the constant that
    remains goes into their bias or the running mean of the batch norm behind them.  Exact but for
    the pixels next to the border, where the padding is no longer what it was.  Raises `ConfigError`
    for a network that names none.
    """
    # normalize(1 - x) = offset - normalize(x)
    offset = normalize(torch.ones(1, 3, 1, 1)) + normalize(torch.zeros(1, 3, 1, 1))
    readers: tuple[str, ...] = getattr(network, "reads_image", ())
    if not readers:
        raise ConfigError(f"{type(network).__name__} has no negative: it evens out its input")
    for name in readers:
        convolution = network.get_submodule(name)
        assert isinstance(convolution, nn.Conv2d)
        shift = _response(convolution, offset)
        convolution.weight.neg_()
        if convolution.bias is not None:
            convolution.bias.add_(shift)
        else:
            head, _, index = name.rpartition(".")
            norm = network.get_submodule(f"{head}.{int(index) + 1}")
            assert isinstance(norm, nn.BatchNorm2d)
            assert norm.running_mean is not None
            norm.running_mean.sub_(shift)
    return network


def _response(convolution: nn.Conv2d, constant: Tensor) -> Tensor:
    """What a convolution makes of a constant image, its bias aside (1×3×1×1 -> channels).

    Space-to-depth repeats each colour as often as the convolution has more inputs than three.
    """
    inputs = constant.flatten().repeat_interleave(convolution.in_channels // 3)
    return convolution.weight.sum(dim=(2, 3)) @ inputs.to(convolution.weight)
