"""The training loop: data, network and objective in, a run folder out.

A run folder holds ``conf.json`` (what the run is), ``log.jsonl`` (a line every few steps),
``last.pt`` (the whole state, to go on from) and ``weights.safetensors`` (the averaged weights, to
detect with).  Files are replaced whole, so a kill at any moment leaves the state before it; a run
that is started again in its folder goes on where that state was, with the same batches.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm import tqdm

from ..config import ConfigError, to_json
from .batch import Data, PairBatch
from .loss import Loss
from .normalisation import normalise

Objective = Callable[[Tensor, Tensor, PairBatch, int], Loss]


@dataclass(frozen=True)
class LoopConf:
    steps: int = 100_000
    learning_rate: float = 2e-4
    weight_decay: float = 1e-5
    warmup: int = 0  # steps of linear rise; a cosine to zero follows
    clip: float = 0.01  # gradient norm
    average: float = 0.0  # decay of the running average of the weights; 0 = none
    bf16: bool = True  # network in bfloat16 autocast; the objective always runs in float32
    log_every: int = 20
    save_every: int = 200
    seed: int = 0


class TrainingError(RuntimeError):
    """Training cannot usefully go on.  The message says why and what to try."""


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
        device: torch.device,
        description: Any = None,
    ) -> None:
        """``description`` (a dataclass or dict) is everything that defines the run; a folder that
        holds a run of another description is refused with `ConfigError`."""
        self.conf, self.device, self.data, self.objective = conf, device, data, objective
        self.run_dir = Path(run_dir)
        self.network = network.to(device).train()
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = deepcopy(self.network).eval().requires_grad_(False)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=conf.learning_rate, weight_decay=conf.weight_decay
        )
        self.step = 0
        self._seconds = 0.0
        self._claim(to_json(description if description is not None else conf))

    # ------------------------------------------------------------------------------- run
    def run(self, minutes: float | None = None) -> Path:
        """Train to the last step; returns the path of the weights.

        After ``minutes``, but not before one step, the run saves and returns, to go on later.
        Ctrl-C saves and returns.  Raises `TrainingError` on a loss that is not finite; the state
        before it is in the folder.
        """
        # No bar where nobody watches: in a log file it would be a line a step.
        bar = tqdm(
            total=self.conf.steps, initial=self.step, desc="train", unit="step", disable=None
        )
        started = time.monotonic() - self._seconds
        until = math.inf if minutes is None else time.monotonic() + 60 * minutes
        try:
            for batch in self._batches():
                scalars = self._train_step(batch)
                self.step += 1
                self._seconds = time.monotonic() - started
                bar.update()
                if self.step % self.conf.log_every == 0 or self.step == self.conf.steps:
                    bar.set_postfix(self._log(scalars))
                if time.monotonic() >= until:
                    break
                if self.step % self.conf.save_every == 0:
                    self.save()
        except KeyboardInterrupt:
            tqdm.write(f"interrupted at step {self.step}; saved, start again to go on")
        finally:
            bar.close()
        self.save()
        return self.run_dir / "weights.safetensors"

    def _batches(self) -> Iterator[PairBatch]:
        """The batches of the remaining steps, one ahead on a thread of its own."""
        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(self.data.batch, self.step)
            while self.step < self.conf.steps:
                batch = coming.result()
                coming = pool.submit(self.data.batch, self.step + 1)
                yield batch.on(self.device)
            coming.cancel()

    def _train_step(self, batch: PairBatch) -> dict[str, Tensor]:
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        images = normalise(torch.cat([batch.images_a, batch.images_b]))
        images = images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.conf.bf16):
            logits = self.network(images)
        logits_a, logits_b = logits.float().chunk(2)
        loss = self.objective(logits_a, logits_b, batch, self.step)
        if not loss.total.isfinite():
            raise TrainingError(
                f"the loss is {loss.total.item()} at step {self.step}; lower the learning rate or "
                f"the clip.  The state of the last save is in {self.run_dir}"
            )
        self.optimizer.zero_grad(set_to_none=True)
        loss.total.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.conf.clip)
        self.optimizer.step()
        self._average()
        return {**loss.scalars, "gradient_norm": norm}

    def _learning_rate(self) -> float:
        if self.step < self.conf.warmup:
            return self.conf.learning_rate * (self.step + 1) / self.conf.warmup
        done = (self.step - self.conf.warmup) / max(1, self.conf.steps - self.conf.warmup)
        return self.conf.learning_rate * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

    @torch.no_grad()
    def _average(self) -> None:
        # Early on the average would be mostly the first, random weights.
        decay = min(self.conf.average, (1 + self.step) / (10 + self.step))
        pairs = zip(
            self.average.state_dict().values(), self.network.state_dict().values(), strict=True
        )
        for mean, now in pairs:
            if mean.is_floating_point():
                mean.lerp_(now, 1 - decay)
            else:
                mean.copy_(now)

    # ----------------------------------------------------------------------------- files
    def _claim(self, description: str) -> None:
        self.run_dir.mkdir(parents=True, exist_ok=True)
        stored = self.run_dir / "conf.json"
        if stored.is_file() and stored.read_text(encoding="utf-8") != description:
            raise ConfigError(
                f"{self.run_dir} holds a run of another configuration (see {stored}); "
                "give another folder or delete it"
            )
        stored.write_text(description, encoding="utf-8")
        if (self.run_dir / "last.pt").is_file():
            self._load(torch.load(self.run_dir / "last.pt", map_location="cpu", weights_only=True))

    def _load(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self._seconds = state["step"], state["seconds"]

    def save(self) -> None:
        """Write the state and the averaged weights, each whole or not at all."""
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self._seconds,
        }
        with _replacing(self.run_dir / "last.pt") as path:
            torch.save(state, path)
        weights = {k: v.cpu().contiguous() for k, v in self.average.state_dict().items()}
        with _replacing(self.run_dir / "weights.safetensors") as path:
            save_file(weights, path, metadata={"step": str(self.step)})

    def _log(self, scalars: dict[str, Tensor]) -> dict[str, str]:
        values = {k: float(v) for k, v in scalars.items()}
        line = {"step": self.step, "seconds": round(self._seconds, 1), **values}
        with (self.run_dir / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        return {k: f"{values[k]:.3f}" for k in ("loss", "hit_rate") if k in values}


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A temporary path that takes the place of ``path`` when the block ends well."""
    temporary = path.with_name(path.name + ".tmp")
    yield temporary
    os.replace(temporary, path)
