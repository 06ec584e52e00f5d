"""What a training run is made of, and the named ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from torch import nn

from .homography_pairs import HomographyConf
from .loop import LoopConf
from .rl import RLConf
from .sampling import SamplingConf


@dataclass(frozen=True)
class RunConf:
    """One training run: network, data, objective, loop."""

    network: str = "dad"
    data: HomographyConf = field(default_factory=HomographyConf)
    objective: RLConf = field(default_factory=RLConf)
    loop: LoopConf = field(default_factory=LoopConf)


def _dad() -> nn.Module:
    from ..detectors.dad.network import DaD

    return DaD()


def _nano() -> nn.Module:
    from ..detectors.dad.nano import Nano

    return Nano()


# Network plugs: a name, and a function that makes the untrained network.
NETWORKS: dict[str, Callable[[], nn.Module]] = {"dad": _dad, "nano": _nano}

PAPER = RunConf(data=HomographyConf(size=640, batch=8))

NANO = RunConf(
    network="nano",
    data=HomographyConf(size=256, batch=8),
    objective=RLConf(
        sampling=SamplingConf(keypoints=(48, 224), nms_size=9, border=4),
        hit="mutual",
        window_weight=2.0,
        localisation_weight=1.0,
        regulariser_weight=0.5,
    ),
    loop=LoopConf(
        steps=4200, learning_rate=2e-3, weight_decay=1e-4, warmup=100, clip=1.0, average=0.998
    ),
)

PRESETS: dict[str, RunConf] = {
    "paper": PAPER,
    "nano": NANO,
    # A minute on two cores: for trying things out and for tests.
    "smoke": replace(
        NANO,
        data=replace(NANO.data, size=96, batch=4),
        objective=replace(
            NANO.objective, sampling=replace(NANO.objective.sampling, keypoints=(24, 24))
        ),
        loop=replace(
            NANO.loop, steps=60, learning_rate=3e-3, warmup=10, log_every=5, save_every=20
        ),
    ),
}
