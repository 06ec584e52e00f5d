"""Nano as a CPU runs it fastest: other operations, the same numbers up to rounding.

`nano` is the readable twin, which the tests compare with it.  A map at full resolution has five
million numbers, so that whatever moves or adds them costs as much as a convolution.  Hence:

- space to depth and the first convolution are one, of 6×6 pixels, two apart;
- the head's sum and ReLU are part of the convolution before;
- eight channels become one by a depthwise convolution and a product: oneDNN would make sixteen.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .fused import FusedConv
from .nano import Nano, double, padded


class NanoOnCPU:
    """The forward pass of a `Nano`.

    network  with its batch norm folded (`folding`); its weights are copied
    dtype    of the maps; logits are float32 all the same
    """

    def __init__(self, network: Nano, dtype: torch.dtype = torch.float32) -> None:
        self._dtype = dtype
        conv = partial(FusedConv.of, dtype=dtype)
        conv_relu = partial(conv, relu=True)
        blocks: list[Any] = [network.encode_half, network.encode_quarter, network.encode_eighth]
        self._encode = [[conv_relu(block[0]) for block in scale] for scale in blocks]
        self._encode[0][0] = _from_pixels(network, dtype)
        self._eighth_to_quarter = conv(network.eighth_to_quarter)
        self._decode_quarter = conv_relu(network.decode_quarter[0])
        self._quarter_to_half = conv(network.quarter_to_half)
        self._decode_half = conv_relu(network.decode_half[0])
        self._half_to_full = _to_blocks(network, dtype)
        self._encode_full = conv_relu(network.encode_full)
        self._decode_full = conv_relu(network.decode_full)
        weight, bias = network.logits.weight.detach(), network.logits.bias
        assert bias is not None
        self._logits = weight.transpose(0, 1).clone(), bias.detach().clone()

    def encode(self, images: Tensor) -> list[Tensor]:
        """What `Nano.encode` does."""
        x = self._prepared(images)
        features = []
        for scale in self._encode:
            for layer in scale:
                x = layer(x)
            features.append(x)
        return features

    def decode(self, features: Sequence[Tensor], images: Tensor) -> Tensor:
        """What `Nano.decode` does."""
        H, W = images.shape[-2:]
        half, quarter, eighth = features
        quarter = self._decode_quarter(double(self._eighth_to_quarter(eighth)).add_(quarter))
        half = self._decode_half(double(self._quarter_to_half(quarter)).add_(half))
        full = self._encode_full(
            self._prepared(images), plus=_from_blocks(self._half_to_full(half))
        )
        weight, bias = self._logits
        each = F.conv2d(self._decode_full(full).float(), weight, padding=1, groups=len(weight))
        logits = each.permute(0, 2, 3, 1) @ each.new_ones(len(weight)) + bias
        return logits[:, None, :H, :W]

    def _prepared(self, images: Tensor) -> Tensor:
        return padded(images, Nano.stride).to(self._dtype, memory_format=torch.channels_last)


def _from_pixels(network: Nano, dtype: torch.dtype) -> FusedConv:
    """The first convolution, which reads blocks of 2×2 pixels as 12 channels, on the pixels."""
    conv: Any = network.encode_half[0][0]  # type: ignore[index]
    weight = F.pixel_shuffle(conv.weight.detach(), 2)
    return FusedConv(weight, conv.bias, stride=(2, 2), padding=(2, 2), relu=True, dtype=dtype)


def _to_blocks(network: Nano, dtype: torch.dtype) -> FusedConv:
    """`Nano.half_to_full`, its channels from (c, row, column) of a block to (row, column, c)."""
    conv = network.half_to_full
    assert conv.bias is not None
    weight, bias = (
        each.detach().unflatten(0, (-1, 4)).transpose(0, 1).flatten(0, 1)
        for each in (conv.weight, conv.bias)
    )
    return FusedConv(weight, bias, dtype=dtype)


def _from_blocks(half: Tensor) -> Tensor:
    """Blocks of 2×2 pixels in `_to_blocks`' order, B×4C×H×W -> B×C×2H×2W, channels last."""
    B, C, H, W = half.shape
    rows = half.permute(0, 2, 3, 1).view(B, H, W, 2, C // 2).transpose(2, 3)
    return rows.reshape(B, 2 * H, 2 * W, C // 4).permute(0, 3, 1, 2)
