"""What the processes of a run tell each other.  With one process nothing is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def agreed(fabric: Fabric, flag: bool) -> bool:
    """True in all processes when it is true in one: all leave a loop at the same step."""
    if fabric.world_size == 1:
        return flag
    flags = _reduced(fabric, torch.tensor(float(flag), device=fabric.device), "max")
    return bool(flags > 0)


def mean_over_processes(fabric: Fabric, scalars: Mapping[str, Tensor]) -> dict[str, float]:
    """The same numbers in all processes: means over those that have one and not NaN."""
    values = torch.stack([value.detach().float() for value in scalars.values()])
    if fabric.world_size > 1:
        known = ~values.isnan()
        total = _reduced(fabric, torch.where(known, values, 0.0), "mean")
        values = total / _reduced(fabric, known.float(), "mean")
    return dict(zip(scalars, values.tolist(), strict=True))


def average_gradients(fabric: Fabric, parameters: Iterable[nn.Parameter]) -> None:
    """Give parameters that no wrapper synchronises the mean of all processes' gradients."""
    if fabric.world_size == 1:
        return
    for parameter in parameters:
        if parameter.requires_grad:
            # One process may have had no use for a parameter that another has a gradient of.
            own = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            parameter.grad = _reduced(fabric, own, "mean")


def gathered(fabric: Fabric, value: Any) -> list[Any]:
    """The values of all processes, in the order of their ranks."""
    if fabric.world_size == 1:
        return [value]
    values: list[Any] = [None] * fabric.world_size
    torch.distributed.all_gather_object(values, value)
    return values


def _reduced(fabric: Fabric, values: Tensor, how: str) -> Tensor:
    reduced = fabric.all_reduce(values, reduce_op=how)
    assert isinstance(reduced, Tensor)
    return reduced
