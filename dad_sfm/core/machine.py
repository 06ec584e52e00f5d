"""What hardware a result came from."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from .device import choose_device, device_name


def machine(device: str = "auto") -> dict[str, Any]:
    """Processor, number of its cores, and the device that ``device`` stands for."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "device": device_name(choose_device(device)),
    }


def _processor() -> str:
    """The model's name; Linux keeps it where `platform` does not look."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text(encoding="utf-8").splitlines() if about.is_file() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, "") or platform.processor() or platform.machine()
