"""Stops runs that have collapsed: reads the log, and says when and why."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class TrainingError(RuntimeError):
    """Training has failed.  The message says why and what to try."""


@dataclass(frozen=True)
class WatchdogConf:
    """When a run has collapsed.  A complaint must hold for ``patience`` log lines in a row."""

    patience: int = 50
    hit_rate_floor: float = 0.02  # share of the best hit rate so far under which nothing is left
    entropy_floor: float = 1.0  # nats: the policy sits on three pixels of an image
    uniform_gap: float = 0.005  # nats below log(H·W): the policy prefers nothing
    uniform_after: int = 2000  # steps; from random weights a policy is near uniform for a while


ADVICE = {
    "hit_rate": "hardly a keypoint is found again: lower the learning rate, or start from weights "
    "that detect (--init); with harder pairs, begin with easier ones",
    "narrow": "the policy has collapsed on a few pixels: raise regulariser_weight, or lower the "
    "learning rate",
    "uniform": "the policy still prefers no pixel to another: raise the learning rate or "
    "window_weight, lower window_baseline or regulariser_weight, or try another seed",
}


class Watchdog:
    """Checks one log line after another, through all sittings of a run."""

    def __init__(self, conf: WatchdogConf | None = None) -> None:
        self.conf = conf or WatchdogConf()
        self._best_hit_rate = 0.0
        self._since: dict[str, int] = {}  # complaint -> step of its first line in this row
        self._lines: dict[str, int] = {}  # and how many lines the row has

    def state(self) -> dict[str, Any]:
        """What it has seen, so that short sittings do not blind it."""
        return {"best": self._best_hit_rate, "since": self._since, "lines": self._lines}

    def load(self, state: Mapping[str, Any]) -> None:
        """Resume from a `state`."""
        self._best_hit_rate = state["best"]
        self._since, self._lines = dict(state["since"]), dict(state["lines"])

    def check(self, step: int, scalars: Mapping[str, float], *, pixels: int | None) -> None:
        """Raise `TrainingError` when a complaint has held for long enough.

        ``scalars`` are those of the log; what an objective does not report is not judged.
        ``pixels`` is the number of pixels that the policies of ``entropy`` choose among.
        """
        for complaint, bad in self._complaints(step, scalars, pixels).items():
            if not bad:
                self._lines[complaint] = 0
                continue
            if not self._lines.get(complaint):
                self._since[complaint] = step
            self._lines[complaint] = self._lines.get(complaint, 0) + 1
            if self._lines[complaint] >= self.conf.patience:
                raise TrainingError(self._explanation(complaint, step, scalars, pixels))

    def _complaints(
        self, step: int, scalars: Mapping[str, float], pixels: int | None
    ) -> dict[str, bool]:
        conf = self.conf
        found = {}
        if "hit_rate" in scalars:
            rate = scalars["hit_rate"]
            self._best_hit_rate = max(self._best_hit_rate, rate)
            found["hit_rate"] = rate <= conf.hit_rate_floor * self._best_hit_rate
        if "entropy" in scalars:
            found["narrow"] = scalars["entropy"] < conf.entropy_floor
        if "entropy" in scalars and pixels is not None:
            gap = math.log(pixels) - scalars["entropy"]
            found["uniform"] = step > conf.uniform_after and gap < conf.uniform_gap
        return found

    def _explanation(
        self, complaint: str, step: int, scalars: Mapping[str, float], pixels: int | None
    ) -> str:
        name = "hit_rate" if complaint == "hit_rate" else "entropy"
        if complaint == "hit_rate":
            bound = f"the best was {self._best_hit_rate:.3g}"
        elif pixels is not None:
            bound = f"uniform is {math.log(pixels):.4g}"
        else:
            bound = f"the floor is {self.conf.entropy_floor:.3g}"
        return (
            f"stopped at step {step}: {name} is {scalars[name]:.4g} ({bound}), and has been so "
            f"since step {self._since[complaint]}: {ADVICE[complaint]} (in another --run; to "
            "continue this one all the same: --no-watchdog)"
        )
