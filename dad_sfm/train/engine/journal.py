"""What a run says of itself: ``log.jsonl``, and a tracker."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

from ...core.atomic import atomic_write
from .trackers import Tracker


class Journal:
    """One line a call, in the file (None writes none) and at the tracker."""

    def __init__(self, path: Path | None, tracker: Tracker) -> None:
        self._path, self._tracker = path, tracker

    def forget_after(self, step: int) -> None:
        """Remove the lines of later steps: a run resumed from here will write them again."""
        if self._path is None or not self._path.is_file():
            return
        lines = self._path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if _step(line) <= step]
        if kept != lines:
            with atomic_write(self._path) as partial:
                partial.write_text("".join(kept), encoding="utf-8")

    def write(self, step: int, seconds: float, values: Mapping[str, float]) -> None:
        values = {name: value for name, value in values.items() if not math.isnan(value)}
        if self._path is not None:
            line = {"step": step, "seconds": round(seconds, 1), **values}
            with self._path.open("a", encoding="utf-8") as log:
                log.write(json.dumps(line) + "\n")
        self._tracker.scalars(step, values)

    def close(self) -> None:
        self._tracker.close()


def _step(line: str) -> float:
    """The step of a line; infinite for one that a kill cut short."""
    try:
        return float(json.loads(line)["step"])
    except json.JSONDecodeError:
        return float("inf")
