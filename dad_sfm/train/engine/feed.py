"""The batches of a run, prepared ahead by threads, and the time spent waiting for them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any

from torch import Tensor

from ...execution.prefetch import prefetch
from ..data.batch import BatchSource, Data


class Feed:
    """Takes the batches of the given numbers from ``data``, in their order.

    ``workers`` threads work up to twice as many batches ahead.  ``pin`` puts them where a CUDA
    device can fetch them without the host's help.
    """

    def __init__(self, data: Data, numbers: Iterable[int], *, workers: int, pin: bool) -> None:
        def prepare(number: int) -> BatchSource:
            source = data.batch(number)
            return pinned(source) if pin else source

        self._coming = prefetch(prepare, numbers, workers=workers)
        self.waited_s = 0.0

    def take(self) -> BatchSource:
        """The next batch; raises what its making raised."""
        started = time.perf_counter()
        _, future = next(self._coming)
        self.waited_s += time.perf_counter() - started
        return future.result()

    def close(self) -> None:
        """Wait for the threads; what they hold ahead is dropped."""
        self._coming.close()


def pinned(value: Any) -> Any:
    """A copy in page-locked memory: of a tensor, or of those in a list or in a dataclass's fields,
    however deep; all else is as it was."""
    if isinstance(value, Tensor):
        return value.pin_memory()
    if isinstance(value, list):
        return [pinned(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: pinned(getattr(value, f.name)) for f in fields(value)})
    return value
