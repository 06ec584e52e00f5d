"""From a run's weights to a file worth shipping: half precision, and where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from ..core.atomic import atomic_write
from ..models.checkpoints import CheckpointError, load_state_dict


def average(weights: Sequence[Path | str], target: Path | str) -> Path:
    """Write the mean of several runs' weights, as float32 safetensors; returns ``target``.

    Of runs that began with the same weights the mean is often better than each (Wortsman et al.,
    "Model soups", ICML 2022); of others it is nothing.  Raises `CheckpointError` for files of
    different networks, and FileNotFoundError.
    """
    loaded = [load_state_dict(path) for path in weights]
    first = loaded[0]
    shapes = [{name: tensor.shape for name, tensor in each.items()} for each in loaded]
    if any(each != shapes[0] for each in shapes):
        raise CheckpointError("weights of different networks have no mean")
    mean = {
        name: torch.stack([each[name].float() for each in loaded]).mean(dim=0)
        if tensor.is_floating_point()
        else tensor
        for name, tensor in first.items()
    }
    with atomic_write(Path(target)) as path:
        save_file(mean, str(path))
    return Path(target)


def package(weights: Path | str, target: Path | str) -> Path:
    """Write the weights of a run as float16 safetensors; returns ``target``.

    Numbers that float16 cannot hold (running statistics may be too large) stay float32, and
    counters, which inference does not need, stay what they are.  Raises FileNotFoundError.
    """
    weights, target = Path(weights), Path(target)
    if not weights.is_file():
        raise FileNotFoundError(f"no such weights: {weights}")
    with safe_open(str(weights), framework="pt") as source:
        metadata = dict(source.metadata() or {})
        tensors = {name: halved(source.get_tensor(name)) for name in source.keys()}  # noqa: SIM118
    with atomic_write(target) as path:
        save_file(tensors, str(path), metadata=metadata)
    return target


def halved(tensor: torch.Tensor) -> torch.Tensor:
    """In float16 where it is a float that float16 can hold; else as it is."""
    if not tensor.is_floating_point():
        return tensor
    half = tensor.half()
    return half if half.isfinite().all() else tensor
