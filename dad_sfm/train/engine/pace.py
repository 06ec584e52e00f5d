"""The clock of a run."""

from __future__ import annotations

import time

from .feed import Feed


class Pace:
    """Seconds in all; and since the last asking, steps per second and time spent waiting."""

    def __init__(self, feed: Feed, *, step: int, seconds: float) -> None:
        """``seconds`` were spent before, in earlier sittings."""
        self._feed, self._started = feed, time.monotonic() - seconds
        self._mark = (step, time.monotonic(), feed.waited_s)

    def seconds(self) -> float:
        return time.monotonic() - self._started

    def scalars(self, step: int) -> dict[str, float]:
        """``steps_per_s``, and ``wait``: the share of the time in which no batch was ready."""
        (step_then, then, waited), now = self._mark, time.monotonic()
        self._mark = (step, now, self._feed.waited_s)
        elapsed = max(now - then, 1e-9)
        return {
            "steps_per_s": (step - step_then) / elapsed,
            "wait": (self._feed.waited_s - waited) / elapsed,
        }
