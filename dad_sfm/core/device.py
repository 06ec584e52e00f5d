"""The choice of a device: the only place that looks at what the machine has."""

from __future__ import annotations

from pathlib import Path

import torch

# Names in /proc/cpuinfo, of Intel's and AMD's processors and of ARM's.
_FLAGS_KEYS = ("flags", "Features")
_BF16_INSTRUCTIONS = {"avx512_bf16", "amx_bf16", "bf16"}


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
    """Whether bfloat16 is worth it: a processor without instructions for it takes up to eight times
    as long with it as with single precision.

    Of a CPU that is known on Linux only; elsewhere the answer is no.
    """
    if device.type != "cpu":
        return True
    used = torch.backends.cpu.get_cpu_capability()  # less than there is, if the user says so
    return used.startswith(("AVX512", "SVE")) and bool(_BF16_INSTRUCTIONS & _cpu_flags())


def _cpu_flags() -> set[str]:
    """What Linux says that the processor can do."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    named = (line.partition(":") for line in lines)
    return {flag for key, _, value in named if key.strip() in _FLAGS_KEYS for flag in value.split()}


def device_name(device: torch.device) -> str:
    """A device as its maker calls it, where torch knows that."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
