"""A run's state in fewer bytes, for where little can be carried from machine to machine.

For the full network: exactly 104 MB (and its weights beside it); in half precision 39 MB, or 52
with a running average; weights alone 13 MB.  The loop reads all three as they are, because torch
casts what it loads to the precision of the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from ...core.atomic import atomic_write
from ..package import halved

# exact    as if nothing had been between
# half     the optimiser's moments go on too, both rounded: to three and to two digits
# weights  the averaged weights go on, the optimiser starts anew
Carry = Literal["exact", "half", "weights"]


def write_carried(state_file: Path, target: Path, carry: Carry) -> Path:
    """Write a run's state (its ``last.pt``) as it is to be carried; returns ``target``."""
    state = torch.load(state_file, map_location="cpu", weights_only=True)
    with atomic_write(target) as path:
        torch.save(carried(state, carry), path)
    return target


def carried(state: Mapping[str, Any], carry: Carry) -> dict[str, Any]:
    """The state to carry, from a loop's: ``network``, ``average``, ``optimizer`` and others."""
    if carry == "exact":
        return dict(state)
    network, optimizer = _halves(state["network"]), state["optimizer"]
    average = network if _same(state["average"], state["network"]) else _halves(state["average"])
    if carry == "weights":
        network, optimizer = average, {**optimizer, "state": {}}
    # Second moments lie below float16's smallest numbers, and their digits matter little.
    moments = {
        number: {name: _rounded(value) for name, value in values.items()}
        for number, values in optimizer["state"].items()
    }
    return {
        **state,
        "network": network,
        "average": average,
        "optimizer": {**optimizer, "state": moments},
    }


def _halves(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: halved(tensor) for name, tensor in tensors.items()}


def _same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    return all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def _rounded(value: Tensor) -> Tensor:
    # Adam's step counter is a scalar of its own and must stay exact.
    return value.to(torch.bfloat16) if value.dim() else value
