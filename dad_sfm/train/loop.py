"""The training loop: data, network and objective in, a run folder out.

A run that is started again in its folder goes on where its last save was, with the same batches,
random numbers and averages, so that it ends where an uninterrupted one would have ended.
`RunFolder` names the files; `Machines` the processes that take part.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from ..config import to_json
from .average import WeightAverage
from .batch import Data, PairBatch, PairSource
from .feed import Feed
from .interrupt import Interrupt
from .journal import Journal
from .loss import Loss
from .normalisation import normalise
from .processes import agreed, gathered, mean_over_processes
from .random_state import random_state, restore_random_state, seed_generators
from .run_folder import RunFolder
from .schedule import warm_cosine
from .trackers import Nowhere, TrackerName, start_tracker
from .validation import Validation
from .watchdog import TrainingError, Watchdog

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Objective = Callable[[Tensor, Tensor, PairBatch, int], Loss]


@dataclass(frozen=True)
class LoopConf:
    steps: int = 100_000
    learning_rate: float = 2e-4
    weight_decay: float = 1e-5
    warmup: int = 0  # steps of linear rise; a cosine to zero follows
    clip: float = 0.01  # gradient norm
    accumulate: int = 1  # batches a step, in each process
    average: float = 0.0  # decay of the running average of the weights; 0 = none
    bf16: bool = True  # network in bfloat16 autocast; the objective always runs in float32
    log_every: int = 20
    validate_every: int = 0  # 0 = never
    save_every: int = 200
    seed: int = 0


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
        workers: int = 2,
        description: Any = None,
    ) -> None:
        """``description`` (a dataclass or dict) is everything that defines the run; a folder that
        holds a run of another description is refused with `ConfigError`."""
        self.conf, self.fabric, self.data, self.objective = conf, fabric, data, objective
        self.validation, self.tracker, self.workers = validation, tracker, workers
        self.description = to_json(description if description is not None else conf)
        self.folder = RunFolder(Path(run_dir))
        self.folder.claim(self.description, write=fabric.is_global_zero)
        network = network.to(fabric.device).train()
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=conf.learning_rate, weight_decay=conf.weight_decay
        )
        # What takes part in the other processes; states are read and written of the bare ones.
        self._forward, self._stepper = fabric.setup(self.network, self.optimizer)
        self.average = WeightAverage(self.network, conf.average)
        self.step = 0
        self._batches = 0  # taken by all processes together
        self._seconds = 0.0
        self._best = -math.inf
        seed_generators(conf.seed, fabric.global_rank)
        if (state := self.folder.load_state()) is not None:
            self._load(state)

    # ------------------------------------------------------------------------------- run
    def run(self, minutes: float | None = None) -> Path:
        """Train to the last step; returns the path of the weights.

        After ``minutes``, but not before one step, the run saves and returns, to go on later.
        Ctrl-C and SIGTERM save and return as well; a second one ends the process at once.  Raises
        `TrainingError` on a loss that is not finite and when the policy has collapsed; the state
        of the last save is then in the folder.
        """
        watchdog = Watchdog()
        until = math.inf if minutes is None else time.monotonic() + 60 * minutes
        with (
            Interrupt() as interrupt,
            closing(self._feed()) as feed,
            closing(self._journal()) as journal,
            self._bar() as bar,
        ):
            pace = _Pace(feed, self.step, self._seconds)
            while self.step < self.conf.steps:
                sources = [feed.take() for _ in range(self.conf.accumulate)]
                scalars, pixels = self._train_step(sources)
                self.step += 1
                self._batches += self.conf.accumulate * self.fabric.world_size
                self._seconds = pace.seconds()
                bar.update()
                validates = self.validation is not None and self._due(self.conf.validate_every)
                if self._due(self.conf.log_every) or validates or self.step == self.conf.steps:
                    values = mean_over_processes(self.fabric, scalars)
                    measured = self._validate() if validates else {}
                    if self.fabric.is_global_zero:
                        line = {**values, **pace.scalars(self.step), **measured}
                        journal.write(self.step, self._seconds, line)
                    bar.set_postfix(_shown(values))
                    watchdog.look(self.step, values, pixels=pixels)
                if agreed(self.fabric, bool(interrupt.asked) or time.monotonic() >= until):
                    break
                if self._due(self.conf.save_every):
                    self.save()
            self.save()
            if interrupt.asked:
                tqdm.write(f"{interrupt.asked} at step {self.step}: saved; start again to go on")
        return self.folder.weights

    def _due(self, every: int) -> bool:
        return every > 0 and self.step % every == 0

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
            return Journal(self.folder.log, Nowhere())
        config = {"run": self.description}
        tracker = start_tracker(self.tracker, self.folder.root, config=config, step=self.step)
        journal = Journal(self.folder.log, tracker)
        journal.forget_after(self.step)
        return journal

    def _bar(self) -> tqdm:
        # No bar where nobody watches: in a log file it would be a line a step.
        disable = None if self.fabric.is_global_zero else True
        return tqdm(
            total=self.conf.steps, initial=self.step, desc="train", unit="step", disable=disable
        )

    # ------------------------------------------------------------------------------ step
    def _train_step(self, sources: list[PairSource]) -> tuple[dict[str, Tensor], int]:
        """One step on some batches; its scalars, and the number of pixels of a view."""
        conf, fabric = self.conf, self.fabric
        rate = warm_cosine(self.step, steps=conf.steps, warmup=conf.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = conf.learning_rate * rate
        self._stepper.zero_grad(set_to_none=True)
        losses = []
        for left, source in reversed(list(enumerate(reversed(sources)))):
            # Gradients meet those of the other processes once a step.
            with fabric.no_backward_sync(self._forward, enabled=left > 0):
                loss, pixels = self._loss(source.on(fabric.device))
                fabric.backward(loss.total / len(sources))
            losses.append(loss)
        norm = fabric.clip_gradients(
            self._forward, self._stepper, max_norm=conf.clip, error_if_nonfinite=False
        )
        assert norm is not None
        total = torch.stack([loss.total.detach() for loss in losses]).mean()
        if agreed(fabric, not bool((total + norm).isfinite())):
            raise TrainingError(
                f"the loss is {total.item()}, its gradient {norm.item()}, at step {self.step}; "
                f"lower the learning rate or the clip.  The state of the last save is in "
                f"{self.folder.root}"
            )
        self._stepper.step()
        self.average.update(self.network, self.step)
        means = {
            name: torch.stack([loss.scalars[name] for loss in losses]).mean()
            for name in losses[0].scalars
        }
        return {**means, "gradient_norm": norm}, pixels

    def _loss(self, batch: PairBatch) -> tuple[Loss, int]:
        images = normalise(torch.cat([batch.images_a, batch.images_b]))
        logits = self._forward(images.contiguous(memory_format=torch.channels_last))
        logits_a, logits_b = logits.float().chunk(2)
        return self.objective(logits_a, logits_b, batch, self.step), logits[0, 0].numel()

    def _validate(self) -> dict[str, float]:
        """Judge the averaged weights, in one process, and keep them when they are the best."""
        assert self.validation is not None
        measured: dict[str, float] = {}
        if self.fabric.is_global_zero:
            with self.fabric.autocast():
                measured = self.validation(self.average.network, self.fabric.device)
            if measured["repeatability"] > self._best:
                self._best = measured["repeatability"]
                self.folder.save_weights(self.folder.best, self.average.network, step=self.step)
        self.fabric.barrier()
        return measured

    # ----------------------------------------------------------------------------- files
    def _load(self, state: Mapping[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.average.network.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self._batches = state["step"], state["batches"]
        self._seconds, self._best = state["seconds"], state["best"]
        if len(state["random"]) == self.fabric.world_size:
            restore_random_state(state["random"][self.fabric.global_rank], self.fabric.device)

    def save(self) -> None:
        """Write the state and the averaged weights, each whole or not at all."""
        state = {
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "batches": self._batches,
            "seconds": self._seconds,
            "best": self._best,
            "random": gathered(self.fabric, random_state(self.fabric.device)),
        }
        if self.fabric.is_global_zero:
            self.folder.save_state(state)
            self.folder.save_weights(self.folder.weights, self.average.network, step=self.step)
        self.fabric.barrier()


class _Pace:
    """The clock of a run: seconds in all, and since the last line steps/s and time waited."""

    def __init__(self, feed: Feed, step: int, seconds: float) -> None:
        self._feed, self._started = feed, time.monotonic() - seconds
        self._mark = (step, time.monotonic(), feed.waited_s)

    def seconds(self) -> float:
        return time.monotonic() - self._started

    def scalars(self, step: int) -> dict[str, float]:
        """``steps_per_s``, and ``wait``: the share of the time in which no batch was ready."""
        (step0, then, waited), now = self._mark, time.monotonic()
        self._mark = (step, now, self._feed.waited_s)
        elapsed = max(now - then, 1e-9)
        return {
            "steps_per_s": (step - step0) / elapsed,
            "wait": (self._feed.waited_s - waited) / elapsed,
        }


def _shown(values: Mapping[str, float]) -> dict[str, str]:
    return {k: f"{values[k]:.3f}" for k in ("loss", "hit_rate") if k in values}
