"""One image, or one pair, per core: how many cores there are, and one torch thread in each.

The networks of a CPU run are hundreds of small operations.  With several threads inside each,
every one of them waits for the slowest core, and a busy neighbour makes the whole run ten times
slower; with one thread per image or pair the cores never wait for each other.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from typing import TypeVar

import torch

from .heap import kept_heap
from .prefetch import prefetch

Item = TypeVar("Item")
Result = TypeVar("Result")


def available_cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS, not on Windows
        return os.cpu_count() or 1


def compute_ahead(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    device: torch.device,
    workers: int | None = None,
) -> Generator[tuple[Item, Future[Result]], None, None]:
    """`one_per_core` on a CPU; elsewhere one item after the other, in a thread of its own, while
    the caller handles earlier results.  With 0 workers there is no thread."""
    if device.type == "cpu":
        return one_per_core(function, items, workers=workers)
    return prefetch(function, items, workers=0 if workers == 0 else 1)


def one_per_core(
    function: Callable[[Item], Result], items: Iterable[Item], *, workers: int | None = None
) -> Generator[tuple[Item, Future[Result]], None, None]:
    """`prefetch` for functions that compute with torch on the CPU, one intra-op thread each.

    workers  threads; None for one per available core.  With 0 everything runs in the calling
             thread, with torch's own threads.
    """
    if workers is None:
        workers = available_cores()
    with kept_heap():
        if workers == 0:
            yield from prefetch(function, items, workers=0)
            return
        before = torch.get_num_threads()
        try:
            torch.set_num_threads(1)
            yield from prefetch(
                function, items, workers=workers, initializer=lambda: torch.set_num_threads(1)
            )
        finally:
            torch.set_num_threads(before)
