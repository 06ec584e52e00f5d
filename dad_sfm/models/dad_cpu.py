"""DaD as a CPU runs it fastest: other operations, the same numbers up to rounding.

`dad` is the readable twin, which the tests compare with it.  Between its refiners' 1×1 convolutions
there often are only sums, shares and resizing, so that they may change places:

- the context of the next scale goes through the next refiner's first convolution before it is
  enlarged, on a quarter of the pixels, and is added instead of put beside the features;
- that convolution, the one that makes the context, and the last one before become one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .dad import DaD, Refiner
from .fused import FusedConv


class DaDOnCPU:
    """The forward pass of a `DaD`.

    network  with its batch norm folded (`folding`); its weights are copied
    dtype    of the maps; logits are float32 all the same
    """

    def __init__(self, network: DaD, dtype: torch.dtype = torch.float32) -> None:
        self._dtype = dtype
        self._encode: list[list[FusedConv]] = [[]]
        for layer in network.encoder.layers:
            if isinstance(layer, nn.MaxPool2d):
                self._encode.append([])
            elif isinstance(layer, nn.Conv2d):
                self._encode[-1].append(FusedConv.of(layer, relu=True, dtype=dtype))
        refiners: list[Any] = list(network.decoder.layers.values())
        self._refiners = [
            _RefinerOnCPU(refiner, before, after, dtype)
            for before, refiner, after in zip(
                [None, *refiners[:-1]], refiners, [*refiners[1:], None], strict=True
            )
        ]
        self._resizing = network.decoder.resizing

    def encode(self, images: Tensor) -> list[Tensor]:
        """What `DaD.encode` does."""
        x = images.to(self._dtype, memory_format=torch.channels_last)
        features: list[Tensor] = []
        for scale in self._encode:
            x = F.max_pool2d(x, 2) if features else x
            for layer in scale:
                x = layer(x)
            features.append(x)
        return features

    def decode(self, features: Sequence[Tensor], images: Tensor) -> Tensor:
        """What `DaD.decode` does."""
        logits = context = None
        for x, refiner in zip(reversed(features), self._refiners, strict=True):
            size = x.shape[-2:]
            if context is not None:
                context = F.interpolate(context, size=size, mode="bilinear", align_corners=False)
            own, context = refiner(x, context)
            if logits is not None:
                own += F.interpolate(logits, size=size, mode=self._resizing, align_corners=False)
            logits = own
        assert logits is not None
        return logits


class _RefinerOnCPU:
    """A refiner between two others, with what the next one does to its context first.

    Of maps d and y, the last block's convolution and the output make out·(mix·d + y), which is
    (out·mix)·d + out·y: no map of their sum is needed.
    """

    def __init__(
        self,
        refiner: Refiner,
        before: Refiner | None,
        after: Refiner | None,
        dtype: torch.dtype,
    ) -> None:
        conv = partial(FusedConv.of, dtype=dtype)
        first, _, _, second = _layers(refiner.block1)
        *blocks, (depthwise, _, _, pointwise) = map(_layers, _layers(refiner.hidden_blocks))
        features = first.in_channels - _context(before)  # the context comes behind them
        self._first = FusedConv(first.weight[:, :features], first.bias, relu=True, dtype=dtype)
        self._second = conv(second)
        self._blocks = [(conv(block[0], relu=True), conv(block[3])) for block in blocks]
        self._depthwise = conv(depthwise, relu=True)
        mix, mix_bias = _matrix(pointwise)
        out, out_bias = _matrix(refiner.out_conv)
        out = out / refiner.share
        out_bias = out_bias + out @ mix_bias
        self._logits = (out[0] @ mix).to(dtype), out[0].to(dtype), float(out_bias[0])
        self._context: tuple[FusedConv, FusedConv] | None = None
        if after is not None:
            weight, _ = _matrix(_layers(after.block1)[0])
            reads = weight[:, -_context(refiner) :]
            out, out_bias = reads @ out[1:], reads @ out_bias[1:]
            self._context = (
                FusedConv((out @ mix)[:, :, None, None], out_bias, dtype=dtype),
                FusedConv(out[:, :, None, None], None, dtype=dtype),
            )

    def __call__(self, x: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Features, and the context at their size -> float32 logits, and the next context."""
        y = x = self._second(self._first(x, plus=context))
        for depthwise, pointwise in self._blocks:
            x = pointwise(depthwise(x))
        d = self._depthwise(x)
        of_d, of_y, constant = self._logits
        logits = (_channels_last(d) @ of_d).float() + (_channels_last(y) @ of_y).float() + constant
        if self._context is None:
            return logits[:, None], None
        context_of_d, context_of_y = self._context
        return logits[:, None], context_of_y(y, plus=context_of_d(d))


def _layers(sequence: nn.Module) -> list[Any]:
    return list(sequence.children())


def _context(refiner: Refiner | None) -> int:
    """Channels of the context that a refiner leaves."""
    return 0 if refiner is None else refiner.out_conv.out_channels - 1


def _channels_last(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1)


def _matrix(conv: nn.Module) -> tuple[Tensor, Tensor]:
    """Weights and bias of a 1×1 convolution, in double precision."""
    assert isinstance(conv, nn.Conv2d)
    assert conv.bias is not None
    return conv.weight.detach().double().flatten(1), conv.bias.detach().double()
