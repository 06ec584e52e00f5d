"""The network, the objective, their optimiser and the EMA of the weights: one step at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..data.batch import BatchSource
from ..objectives.base import Objective
from .ema import EMA
from .loop_conf import LoopConf
from .processes import agreed, average_gradients
from .schedule import rate_at
from .watchdog import TrainingError

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@dataclass(frozen=True)
class StepStats:
    """Metrics of one training step: this process's scalars, and the pixels that its policies
    choose among (`Loss.policy_pixels`)."""

    scalars: dict[str, Tensor]
    policy_pixels: int | None


class Learner:
    """All processes hold the same weights; each brings its own batches to a step."""

    def __init__(
        self, network: nn.Module, objective: Objective, conf: LoopConf, fabric: Fabric
    ) -> None:
        self.conf, self.fabric = conf, fabric
        network = network.to(fabric.device).train()
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.objective = objective.to(fabric.device).train()
        self.optimizer = torch.optim.AdamW(
            [*self.network.parameters(), *self.objective.parameters()],
            lr=conf.learning_rate,
            weight_decay=conf.weight_decay,
        )
        # What meets the other processes; states are read from the bare ones and written to them.
        self._forward, self._stepper = fabric.setup(self.network, self.optimizer)
        self.ema = EMA(self.network, conf.ema_decay)

    def learn(self, sources: Sequence[BatchSource], step: int) -> StepStats:
        """Take one step, from the mean gradient of some batches.

        Raises `TrainingError`, in all processes, before a loss or gradient that is not finite has
        changed anything.
        """
        rate = rate_at(step, self.conf)
        for group in self.optimizer.param_groups:
            group["lr"] = self.conf.learning_rate * rate
        self._stepper.zero_grad(set_to_none=True)
        losses = []
        for number, source in enumerate(sources, start=1):
            batch = source.to(self.fabric.device)
            # Gradients meet those of the other processes once per step.
            with self.fabric.no_backward_sync(self._forward, enabled=number < len(sources)):
                loss = self.objective(self._forward, batch, step)
                self.fabric.backward(loss.total / len(sources))
            losses.append(loss)
        average_gradients(self.fabric, self.objective.parameters())
        norm = self.fabric.clip_gradients(
            self._forward,
            self._stepper,
            max_norm=self.conf.clip or math.inf,
            error_if_nonfinite=False,
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
        self.ema.update(self.network, step)
        scalars = {
            name: torch.stack([loss.scalars[name] for loss in losses]).nanmean()
            for name in losses[0].scalars
        }
        return StepStats({**scalars, "gradient_norm": norm}, losses[-1].policy_pixels)

    def ema_forward(self, *inputs: Any) -> Any:
        """Forward pass with the averaged weights, in the precision of the run; what is around the
        network stays in single precision."""
        with self.fabric.autocast():
            return self.ema.network(*inputs)

    def state(self) -> dict[str, Any]:
        return {
            "network": self.network.state_dict(),
            "ema": self.ema.network.state_dict(),
            "objective": self.objective.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.ema.network.load_state_dict(state["ema"])
        self.objective.load_state_dict(state["objective"])
        self.optimizer.load_state_dict(state["optimizer"])
