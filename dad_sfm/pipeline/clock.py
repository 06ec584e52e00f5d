"""Seconds of each stage of a run."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

logger = logging.getLogger(__name__)


class Clock:
    """Times stages, and the whole since it was made."""

    def __init__(self) -> None:
        self._start = perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        logger.info("%s ...", name)
        start = perf_counter()
        try:
            yield
        finally:
            self._stages[name] = round(perf_counter() - start, 3)

    @property
    def seconds(self) -> dict[str, float]:
        return {**self._stages, "total": round(perf_counter() - self._start, 3)}
