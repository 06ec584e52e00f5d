"""Networks that have a form for CPUs: the same numbers up to rounding, in less time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from .dad import DaD
from .dad_cpu import DaDOnCPU
from .encoding import EncodingNetwork
from .fused import can_fuse
from .nano import Nano
from .nano_cpu import NanoOnCPU

_FORMS: dict[type[nn.Module], Callable[[Any, torch.dtype], EncodingNetwork]] = {
    DaD: DaDOnCPU,
    Nano: NanoOnCPU,
}


def network_on_cpu(network: nn.Module, dtype: torch.dtype | None) -> EncodingNetwork | None:
    """The form for CPUs of a network whose batch norm is folded (`folding`).

    dtype    of its maps, None for float32
    returns  None where there is none, or where torch lacks the operations that it is made of
    """
    form = _FORMS.get(type(network))
    dtype = dtype or torch.float32
    return None if form is None or not can_fuse(dtype) else form(network, dtype)
