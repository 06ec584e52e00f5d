"""The training loop: data, network and objective in, a run folder out.

A run that is started again in its folder resumes from its last save, with the same batches,
random numbers and averaged weights, so that it ends where an uninterrupted one would have ended.
`RunFolder` names the files; `LaunchConf` the processes that take part.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn
from tqdm import tqdm

from ...core.config import to_json
from ...core.progress import progress
from ..data.batch import Data
from ..objectives.base import Objective
from ..validation.base import Validation
from .feed import Feed
from .interrupt import Interrupt, Interrupted
from .journal import Journal
from .learner import Learner, StepStats
from .loop_conf import LoopConf
from .pace import Pace
from .processes import agreed, gathered, mean_over_processes
from .random_state import random_state, restore_random_state, seed_generators
from .run_folder import RunFolder
from .trackers import Nowhere, TrackerName, start_tracker
from .watchdog import Watchdog

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class Loop:
    """One training run in one folder."""

    def __init__(
        self,
        network: nn.Module,
        objective: Objective,
        data: Data,
        conf: LoopConf,
        *,
        run_dir: Path | str,
        fabric: Fabric,
        validation: Validation | None = None,
        tracker: TrackerName | None = None,
        watched: bool = True,
        workers: int = 2,
        description: Any = None,
    ) -> None:
        """``description`` (a dataclass or dict) is everything that defines the run; a folder that
        holds a run of another description is refused with `ConfigError`.  A run that is not
        ``watched`` continues even where its policy has collapsed."""
        self.conf, self.fabric, self.data = conf, fabric, data
        self.validation, self.tracker, self.workers = validation, tracker, workers
        self.description = to_json(description if description is not None else conf)
        self.folder = RunFolder(Path(run_dir))
        self.folder.claim(self.description, write=fabric.is_global_zero)
        self.learner = Learner(network, objective, conf, fabric)
        self.step = 0
        self._batches = 0  # taken by all processes together
        self._seconds = 0.0
        self._best = -math.inf
        self._watchdog = Watchdog() if watched else None
        seed_generators(conf.seed, fabric.global_rank)
        if (state := self.folder.load_state()) is not None:
            self._load(state)

    # ------------------------------------------------------------------------------- run
    def run(self, minutes: float | None = None) -> Path:
        """Train to the last step; returns the path of the weights.

        After ``minutes``, but not before one step, the run saves and returns, to be resumed later.
        After Ctrl-C or SIGTERM it saves and raises `Interrupted`; a second one ends the process at
        once.  Raises `TrainingError` on a loss that is not finite and when the policy has
        collapsed; the state of the last save is then in the folder.
        """
        until = math.inf if minutes is None else time.monotonic() + 60 * minutes
        with (
            Interrupt() as interrupt,
            closing(self._feed()) as feed,
            closing(self._journal()) as journal,
            self._bar() as bar,
        ):
            pace = Pace(feed, step=self.step, seconds=self._seconds)
            while self.step < self.conf.steps:
                sources = [feed.take() for _ in range(self.conf.accumulate)]
                stats = self.learner.learn(sources, self.step)
                self.step += 1
                self._batches += self.conf.accumulate * self.fabric.world_size
                self._seconds = pace.seconds()
                bar.update()
                if self._reports():
                    values = self._report(stats, journal, pace)
                    bar.set_postfix(_shown(values))
                    if self._watchdog:
                        self._watchdog.check(self.step, values, pixels=stats.policy_pixels)
                if agreed(self.fabric, bool(interrupt.asked) or time.monotonic() >= until):
                    break
                if self._due(self.conf.save_every):
                    self.save()
            self.save()
        if interrupt.asked:
            raise Interrupted(
                f"{interrupt.asked}: saved at step {self.step}; start again to resume"
            )
        return self.folder.weights

    def _due(self, every: int) -> bool:
        return every > 0 and self.step % every == 0

    def _validates(self) -> bool:
        return self.validation is not None and self._due(self.conf.validate_every)

    def _reports(self) -> bool:
        last = self.step == self.conf.steps
        return self._due(self.conf.log_every) or self._validates() or last

    def _report(self, stats: StepStats, journal: Journal, pace: Pace) -> dict[str, float]:
        """One line of the log; the scalars of the objective, the same in all processes."""
        values = mean_over_processes(self.fabric, stats.scalars)
        measured = self._validate() if self._validates() else {}
        journal.write(self.step, self._seconds, {**values, **pace.scalars(self.step), **measured})
        return values

    def _validate(self) -> dict[str, float]:
        """Judge the averaged weights, in one process, and keep them when they are the best."""
        assert self.validation is not None
        measured: dict[str, float] = {}
        if self.fabric.is_global_zero:
            measured = self.validation(self.learner.ema_forward, self.fabric.device)
            score = measured[self.validation.score]
            if score > self._best:
                self._best = score
                self._save_weights(self.folder.best)
        self.fabric.barrier()
        return measured

    # ------------------------------------------------------------------------ what it takes
    def _feed(self) -> Feed:
        """The batches of this process: every one of the run goes to just one step of just one."""
        fabric, conf = self.fabric, self.conf
        still = (conf.steps - self.step) * conf.accumulate * fabric.world_size
        numbers = range(
            self._batches + fabric.global_rank, self._batches + still, fabric.world_size
        )
        return Feed(self.data, numbers, workers=self.workers, pin=fabric.device.type == "cuda")

    def _journal(self) -> Journal:
        # One process speaks for all.
        if not self.fabric.is_global_zero:
            return Journal(None, Nowhere())
        config = json.loads(self.description)
        tracker = start_tracker(self.tracker, self.folder.root, config=config, step=self.step)
        journal = Journal(self.folder.log, tracker)
        journal.forget_after(self.step)
        return journal

    def _bar(self) -> tqdm:
        return progress(
            None,
            "train",
            total=self.conf.steps,
            initial=self.step,
            unit="step",
            disable=not self.fabric.is_global_zero or None,
        )

    # ------------------------------------------------------------------------------- state
    def save(self) -> None:
        """Write the state and the averaged weights, each whole or not at all."""
        state = {
            **self.learner.state(),
            "step": self.step,
            "batches": self._batches,
            "seconds": self._seconds,
            "best": self._best,
            "watchdog": self._watchdog.state() if self._watchdog else None,
            "random": gathered(self.fabric, random_state(self.fabric.device)),
        }
        if self.fabric.is_global_zero:
            self.folder.save_state(state)
            self._save_weights(self.folder.weights)
        self.fabric.barrier()

    def _save_weights(self, target: Path) -> None:
        """Write the averaged weights, with what the objective has to say of them."""
        metadata = self.learner.objective.metadata()
        network = self.learner.ema.network
        self.folder.save_weights(target, network, step=self.step, metadata=metadata)

    def _load(self, state: Mapping[str, Any]) -> None:
        self.learner.load(state)
        self.step, self._batches = state["step"], state["batches"]
        self._seconds, self._best = state["seconds"], state["best"]
        # A run that nobody has watched so far has left nothing to resume from.
        if self._watchdog and state.get("watchdog"):
            self._watchdog.load(state["watchdog"])
        # With another number of processes there is no telling which state would be whose.
        if len(state["random"]) == self.fabric.world_size:
            restore_random_state(state["random"][self.fabric.global_rank], self.fabric.device)


def _shown(values: Mapping[str, float]) -> dict[str, str]:
    return {k: f"{values[k]:.3f}" for k in ("loss", "hit_rate") if k in values}
