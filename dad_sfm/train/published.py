"""Weights of the full network, between our safetensors and the published checkpoint format.

The published format (Parskatt/dad v0.1.0) is a plain state dict of float32 tensors in a torch
file, which the original code loads with ``strict=True``.  Nano has no counterpart there.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from ..core.atomic import atomic_write
from ..models.checkpoints import CheckpointError
from ..models.dad import DaD
from .objectives.teachers import load_any


def export_published(weights: Path | str, target: Path | str) -> Path:
    """Our weights (float32 or packaged float16) -> a ``.pth`` that the original code loads.

    Returns ``target``.  Raises ValueError when ``target`` is not named ``.pth``, and
    `CheckpointError` when the weights are not those of the full network.
    """
    target = _named(target, ".pth")
    state = _full_network(weights)
    with atomic_write(target) as path:
        torch.save(state, path)
    return target


def import_published(weights: Path | str, target: Path | str) -> Path:
    """A published ``.pth`` -> safetensors of ours, bit by bit; returns ``target``.

    Only tensors are read, so a file from anywhere is safe to import.  Raises ValueError when
    ``target`` is not named ``.safetensors``, and `CheckpointError` when ``weights`` holds
    anything but the tensors of the full network.
    """
    target = _named(target, ".safetensors")
    state = _full_network(weights)
    with atomic_write(target) as path:
        save_file(state, path, metadata={"source": Path(weights).name})
    return target


def _full_network(weights: Path | str) -> dict[str, Tensor]:
    """The state dict of the full network, float32, with every key of the published one."""
    if not Path(weights).is_file():
        raise CheckpointError(f"no such weights: {weights}")
    network, _ = load_any(weights)
    if not isinstance(network, DaD):
        raise CheckpointError(
            f"{weights} holds weights of {type(network).__name__}; the published format is that "
            "of the full network alone.  To detect with them, give the file as it is: --weights"
        )
    return dict(network.state_dict())


def _named(target: Path | str, suffix: str) -> Path:
    """``target``, whose suffix decides how it will be read."""
    if Path(target).suffix != suffix:
        raise ValueError(f"{target}: the file to write must be named *{suffix}")
    return Path(target)
