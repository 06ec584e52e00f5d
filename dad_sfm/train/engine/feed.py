"""The batches of a run, prepared ahead by threads, and the time spent waiting for them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any

from torch import Tensor

from ...prefetch import prefetch
from ..data.batch import Data, PairSource


class Feed:
    """Takes the batches of the given numbers from ``data``, in their order.

    ``workers`` threads work up to twice as many batches ahead.  ``pin`` puts them where a CUDA
    device can fetch them without the host's help.
    """

    def __init__(self, data: Data, numbers: Iterable[int], *, workers: int, pin: bool) -> None:
        def prepare(number: int) -> PairSource:
            source = data.batch(number)
            return pinned(source) if pin else source

        self._coming = prefetch(prepare, numbers, workers=workers)
        self.waited_s = 0.0

    def take(self) -> PairSource:
        """The next batch; raises what its making raised."""
        started = time.perf_counter()
        _, future = next(self._coming)
        self.waited_s += time.perf_counter() - started
        return future.result()

    def close(self) -> None:
        """Wait for the threads; what they hold ahead is dropped."""
        self._coming.close()


def pinned(source: Any) -> Any:
    """The source with the tensors among its fields in page-locked memory."""
    if not is_dataclass(source) or isinstance(source, type):
        return source
    values = {f.name: getattr(source, f.name) for f in fields(source)}
    return replace(
        source, **{k: v.pin_memory() for k, v in values.items() if isinstance(v, Tensor)}
    )
