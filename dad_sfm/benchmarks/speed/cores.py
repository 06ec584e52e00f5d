"""What more cores bring, and what a busy neighbour costs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial

from .timing import Timing, interleaved

_BUSY = "while True: pass"


@contextmanager
def busy_neighbour() -> Iterator[None]:
    """Another process that takes all it can get of one core."""
    process = subprocess.Popen([sys.executable, "-c", _BUSY])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def by_workers(
    run: Callable[[int], object], counts: tuple[int, ...], *, items: int, repeats: int
) -> dict[str, Timing]:
    """Wall seconds per item of ``run(workers)``, idle and beside a busy process.

    With 0 workers the items come one after the other, with as many threads inside each operation
    as torch is set to: what it does unless told otherwise.
    """
    found: dict[str, Timing] = {}
    for where, surrounding in (
        ("", nullcontext()),
        (" beside a busy process", busy_neighbour()),
    ):
        with surrounding:
            runs = {f"{_workers(n)}{where}": partial(run, n) for n in counts}
            found |= interleaved(runs, items=items, repeats=repeats)
    return found


def _workers(count: int) -> str:
    return "no workers" if count == 0 else f"{count} worker{'s' * (count > 1)}"
