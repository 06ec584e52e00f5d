"""Seconds of each stage of a run."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from ..core import progress

logger = logging.getLogger(__name__)


class Clock:
    """Times stages, and the whole since it was made."""

    def __init__(self, stages: int = 5) -> None:
        self._number_of_stages = stages
        self._start = perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        logger.info("%s ...", name)
        start = perf_counter()
        try:
            with progress.stage(name, len(self._stages) + 1, self._number_of_stages):
                yield
        finally:
            self._stages[name] = round(perf_counter() - start, 3)

    @property
    def seconds(self) -> dict[str, float]:
        return {**self._stages, "total": round(perf_counter() - self._start, 3)}
