"""What a training run is made of, and the named ones."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from .data.homography_pairs import HomographyConf
from .data.plugs import DataConf
from .engine.loop_conf import LoopConf
from .engine.validation import ValidationConf
from .objectives.distill import DistillConf
from .objectives.rl import RLConf
from .objectives.sampling import SamplingConf
from .objectives.teachers import Combination


@dataclass(frozen=True)
class RunConf:
    """One training run: network, data, objective, loop, and how it is judged meanwhile."""

    network: str = "dad"
    data: DataConf = field(default_factory=HomographyConf)
    objective: RLConf | DistillConf = field(default_factory=RLConf)
    loop: LoopConf = field(default_factory=LoopConf)
    validation: ValidationConf = field(default_factory=ValidationConf)


PAPER = RunConf(
    data=HomographyConf(size=640, batch=8),
    loop=LoopConf(validate_every=1000),
)

_NANO_OBJECTIVE = RLConf(
    sampling=SamplingConf(keypoints=(48, 224), nms_size=9, border=4),
    hit="mutual",
    policy_reduction="mean",
    window_weight=2.0,
    localisation_weight=1.0,
    regulariser_weight=0.5,
)

NANO = RunConf(
    network="nano",
    data=HomographyConf(size=256, batch=8),
    objective=_NANO_OBJECTIVE,
    loop=LoopConf(
        steps=4200,
        learning_rate=2e-3,
        weight_decay=1e-4,
        warmup=100,
        clip=1.0,
        average=0.998,
        validate_every=200,
    ),
    validation=ValidationConf(nms_size=7, subpixel_temp=2.5),
)

# The full network with nano's objective: meant for half an hour of one GPU for the whole recipe.
DAD = replace(
    NANO,
    network="dad",
    data=HomographyConf(size=512, batch=8),
    objective=replace(
        _NANO_OBJECTIVE, sampling=replace(_NANO_OBJECTIVE.sampling, keypoints=(192, 896))
    ),
    loop=replace(NANO.loop, steps=4000, learning_rate=5e-4, validate_every=500),
)

PRESETS: dict[str, RunConf] = {
    "paper": PAPER,
    "dad": DAD,
    "nano": NANO,
    # A minute on two cores: for trying things out and for tests.
    "smoke": replace(
        NANO,
        data=replace(NANO.data, size=96, batch=4),
        objective=replace(
            _NANO_OBJECTIVE,
            sampling=replace(_NANO_OBJECTIVE.sampling, keypoints=(24, 24)),
            # From random weights few hits reach nano's 0.3, and whether the first hundred steps
            # sharpen the peaks or flatten them would be left to the seed.
            window_baseline=0.1,
        ),
        loop=replace(
            NANO.loop,
            steps=120,
            learning_rate=3e-3,
            warmup=10,
            log_every=5,
            validate_every=40,
            save_every=20,
        ),
    ),
}


def distillation(conf: RunConf, how: Combination = "max", *, temperature: float = 1.0) -> RunConf:
    """The run that distils teachers of a preset: its network, data and loop, another objective."""
    if isinstance(conf.objective, DistillConf):
        return replace(conf, objective=replace(conf.objective, how=how, temperature=temperature))
    measured = replace(conf.objective.sampling, balance=0.0)
    objective = DistillConf(
        how, temperature, sampling=measured, subpixel_temp=conf.objective.subpixel_temp
    )
    return replace(conf, objective=objective)
