"""Where a run runs: the device, and how many processes on how many machines."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ...core.config import ConfigError
from ...core.device import choose_device, has_fast_bf16

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Strategy = Literal["auto", "ddp"]


@dataclass(frozen=True)
class LaunchConf:
    """Not part of a run's identity: a run can resume elsewhere."""

    device: str = "auto"  # auto, cpu, cuda or mps
    devices: int = 1  # processes on each machine, each with a device of its own
    nodes: int = 1  # machines
    strategy: Strategy = "auto"  # "auto" is "ddp" as soon as there is more than one process
    workers: int = 2  # threads that prepare batches, in each process

    def launch(self, *, bf16: bool) -> Fabric:
        """Start the other processes if need be (each runs the same command) and join them.

        Under ``torchrun`` and SLURM the processes are there already.  Raises ImportError without
        Lightning Fabric, `ValueError` for a device that is not there.
        """
        try:
            from lightning_fabric import Fabric
        except ImportError as error:
            raise ImportError(
                "training needs Lightning Fabric: pip install lightning-fabric tensorboard"
            ) from error
        # Fabric reports at length what was asked for, whatever level the user has chosen.
        logging.getLogger("lightning_fabric").setLevel(logging.getLogger().getEffectiveLevel())
        device = choose_device(self.device)
        if device.index is not None and self.devices > 1:
            raise ConfigError(f"{self.device} is one device; say {device.type} to use several")
        fabric = Fabric(
            accelerator=device.type,
            devices=self.devices if device.index is None else [device.index],
            num_nodes=self.nodes,
            strategy=self.strategy,
            precision="bf16-mixed" if bf16 and has_fast_bf16(device) else "32-true",
        )
        fabric.launch()
        return fabric
