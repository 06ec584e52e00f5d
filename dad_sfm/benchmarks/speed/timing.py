"""Medians of repeated runs, in seconds of the processor and of the clock, and the memory."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

Clock = Literal["cpu", "wall"]
_REFERENCES, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


@dataclass(frozen=True)
class Timing:
    """Seconds of each repetition, per item of work.

    cpu     of all threads of this process: hardly changed by other work on the machine
    wall    of the clock
    memory  bytes of the largest resident size of this process during the warm-up; None where the
            system does not tell (only Linux does)
    """

    cpu: tuple[float, ...]
    wall: tuple[float, ...]
    memory: int | None = None

    def median(self, clock: Clock = "cpu") -> float:
        """The median of the seconds."""
        return statistics.median(getattr(self, clock))

    def to_dict(self) -> dict[str, Any]:
        """Medians, and the smallest and largest repetition."""
        found: dict[str, Any] = {
            clock: {
                "median": round(statistics.median(values), 5),
                "min": round(min(values), 5),
                "max": round(max(values), 5),
            }
            for clock, values in (("cpu", self.cpu), ("wall", self.wall))
        }
        memory = None if self.memory is None else self.memory >> 20
        return found | {"repeats": len(self.cpu), "memory, MiB": memory}


def interleaved(
    contenders: Mapping[str, Callable[[], object]],
    *,
    items: int | Mapping[str, int] = 1,
    repeats: int = 5,
) -> dict[str, Timing]:
    """Time functions that do the same work, after a warm-up of each.

    items  how much of it: seconds are per item

    They take turns, so that a machine that slows down slows all of them.
    """
    memory = {name: _peak_memory(run) for name, run in contenders.items()}
    cpu: dict[str, list[float]] = {name: [] for name in contenders}
    wall: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, run in contenders.items():
            count = items if isinstance(items, int) else items[name]
            before = time.process_time(), time.perf_counter()
            run()
            _synchronize()
            cpu[name].append((time.process_time() - before[0]) / count)
            wall[name].append((time.perf_counter() - before[1]) / count)
    return {name: Timing(tuple(cpu[name]), tuple(wall[name]), memory[name]) for name in contenders}


def _peak_memory(run: Callable[[], object]) -> int | None:
    """Run, and return the bytes of the largest resident size meanwhile."""
    try:
        _REFERENCES.write_text("5")  # the peak so far is forgotten
    except OSError:  # another system, or a container that does not allow it
        run()
        return None
    run()
    found = re.search(r"VmHWM:\s+(\d+) kB", _STATUS.read_text())
    return int(found[1]) << 10 if found else None


def _synchronize() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
