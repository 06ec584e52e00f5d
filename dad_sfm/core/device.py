"""The choice of a device: the only place that looks at what the machine has."""

from __future__ import annotations

import torch


def choose_device(name: str = "auto") -> torch.device:
    """``"auto"`` (CUDA, else Apple's MPS, else the CPU), or a device by its name in torch.

    Raises `ValueError` when the named device is not there.
    """
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(kind for kind, there in available.items() if there))
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"no such device: {name!r}; use auto, cpu, cuda or mps") from error
    if not available.get(device.type, False):
        raise ValueError(f"this machine or this build of torch has no {name!r}; use auto or cpu")
    return device


def has_fast_bf16(device: torch.device) -> bool:
    """Whether bfloat16 is worth it: a CPU without AVX-512 or SVE takes eight times as long with it
    as with single precision."""
    return device.type != "cpu" or torch.backends.cpu.get_cpu_capability().startswith(
        ("AVX512", "SVE")
    )


def device_name(device: torch.device) -> str:
    """A device as its maker calls it, where torch knows that."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
