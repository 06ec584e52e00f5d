"""Convolutions of oneDNN together with what follows them: one pass over memory instead of three.

It is what torch's own compiler makes of a convolution on a CPU, without the minute that starting
it takes.  For inference; `cpu_networks` says which networks are made of these.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class FusedConv:
    """``relu(conv(x) + plus)`` for inference on a CPU.

    weight  as of `torch.nn.Conv2d`; it is copied
    relu    whether negative results become 0
    dtype   of the maps and the weights
    """

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None,
        *,
        stride: tuple[int, ...] = (1, 1),
        padding: tuple[int, ...] = (0, 0),
        groups: int = 1,
        relu: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        own = weight.detach().to(dtype, copy=True, memory_format=torch.channels_last)
        self._weights = own, None if bias is None else bias.detach().to(dtype, copy=True)
        self._shape = list(padding), list(stride), [1, 1], groups
        self._relu = "relu" if relu else None

    @classmethod
    def of(cls, conv: nn.Module, **options: Any) -> FusedConv:
        """What a `torch.nn.Conv2d` does that surrounds images with zeros."""
        assert isinstance(conv, nn.Conv2d)
        assert conv.padding_mode == "zeros"
        assert not isinstance(conv.padding, str)
        options |= {"stride": conv.stride, "padding": conv.padding, "groups": conv.groups}
        return cls(conv.weight, conv.bias, **options)

    def __call__(self, x: Tensor, plus: Tensor | None = None) -> Tensor:
        """B×C×H×W maps, and what to add to the result, in whose place it comes; channels last."""
        if plus is None:
            apply: Any = torch.ops.mkldnn._convolution_pointwise
            found: Tensor = apply(x, *self._weights, *self._shape, self._relu or "none", [], "")
            return found
        add: Any = torch.ops.mkldnn._convolution_pointwise_.binary
        sums: Any = ("add", 1.0, self._relu, [], "")
        found = add(plus, x, *self._weights, *self._shape, *sums)
        return found


@cache
def can_fuse(dtype: torch.dtype) -> bool:
    """Whether this build of torch has the operation for this processor, and it does what it should.

    It is no part of torch's public interface, and another version may have another one.
    """
    to_map = partial(torch.Tensor.to, dtype=dtype, memory_format=torch.channels_last)
    x = to_map(torch.linspace(-1, 1, 120).view(1, 4, 5, 6))
    plus = to_map(torch.linspace(1, -1, 90).view(1, 3, 5, 6))
    weight, bias = torch.linspace(-0.2, 0.3, 108).view(3, 4, 3, 3), torch.ones(3)
    expected = F.relu(F.conv2d(x.float(), weight, bias, padding=1) + plus.float())
    try:
        conv = FusedConv(weight, bias, padding=(1, 1), relu=True, dtype=dtype)
        conv(x)
        found = conv(x, plus)
    except (AttributeError, RuntimeError, TypeError):
        return False
    digits = 1e-5 if dtype == torch.float32 else 0.05
    return torch.allclose(found.float(), expected, rtol=0, atol=digits)
