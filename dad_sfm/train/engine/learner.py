"""What learns: the network, its optimiser and its average, one step at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ...models.imagenet import normalize
from ..data.batch import PairBatch, PairSource
from ..objectives.loss import Loss
from .ema import EMA
from .loop_conf import LoopConf
from .processes import agreed
from .schedule import warm_cosine
from .watchdog import TrainingError

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Objective = Callable[[Tensor, Tensor, PairBatch, int], Loss]


@dataclass(frozen=True)
class StepStats:
    """What one step says of itself: this process's scalars, and H·W of its views."""

    scalars: dict[str, Tensor]
    pixels: int


class Learner:
    """All processes hold the same weights; each brings its own batches to a step."""

    def __init__(
        self, network: nn.Module, objective: Objective, conf: LoopConf, fabric: Fabric
    ) -> None:
        self.objective, self.conf, self.fabric = objective, conf, fabric
        network = network.to(fabric.device).train()
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=conf.learning_rate, weight_decay=conf.weight_decay
        )
        # What meets the other processes; states are read from the bare ones and written to them.
        self._forward, self._stepper = fabric.setup(self.network, self.optimizer)
        self.average = EMA(self.network, conf.average)

    def learn(self, sources: Sequence[PairSource], step: int) -> StepStats:
        """One step from some batches.

        Raises `TrainingError`, in all processes, before a loss or gradient that is not finite has
        changed anything.
        """
        rate = warm_cosine(step, steps=self.conf.steps, warmup=self.conf.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = self.conf.learning_rate * rate
        self._stepper.zero_grad(set_to_none=True)
        losses = []
        for number, source in enumerate(sources, start=1):
            batch = source.on(self.fabric.device)
            # Gradients meet those of the other processes once a step.
            with self.fabric.no_backward_sync(self._forward, enabled=number < len(sources)):
                loss = self._loss(batch, step)
                self.fabric.backward(loss.total / len(sources))
            losses.append(loss)
        norm = self.fabric.clip_gradients(
            self._forward, self._stepper, max_norm=self.conf.clip, error_if_nonfinite=False
        )
        assert norm is not None
        total = torch.stack([loss.total.detach() for loss in losses]).mean()
        if agreed(self.fabric, not bool((total + norm).isfinite())):
            raise TrainingError(
                f"stopped at step {step}: the loss is {total.item():.4g} and the norm of its "
                f"gradient {norm.item():.4g}; start another run from this one's weights (--run, "
                "--init) with another seed, a lower learning rate or a lower clip"
            )
        self._stepper.step()
        self.average.update(self.network, step)
        scalars = {
            name: torch.stack([loss.scalars[name] for loss in losses]).mean()
            for name in losses[0].scalars
        }
        return StepStats({**scalars, "gradient_norm": norm}, batch.valid_a[0].numel())

    def _loss(self, batch: PairBatch, step: int) -> Loss:
        images = normalize(torch.cat([batch.images_a, batch.images_b]))
        logits = self._forward(images.contiguous(memory_format=torch.channels_last))
        logits_a, logits_b = logits.float().chunk(2)
        return self.objective(logits_a, logits_b, batch, step)

    def averaged(self, images: Tensor) -> Tensor:
        """Logits of the averaged weights, in the precision of the run; what is around the network
        stays in single precision."""
        with self.fabric.autocast():
            logits: Tensor = self.average.network(images)
        return logits

    def state(self) -> dict[str, Any]:
        return {
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.average.network.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
