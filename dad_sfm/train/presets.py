"""What a training run is made of, and the named ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .data.batch import DataConf
from .data.descriptor_pairs import DescriptorPairsConf
from .data.disk_photo_pairs import DiskPhotoConf
from .data.homography_pairs import HomographyConf
from .data.homography_sequences import HomographySequenceConf
from .data.labelled_views import LabelledHomographyConf
from .data.video_frames import FramePairsConf, FramesConf
from .engine.loop_conf import LoopConf
from .objectives.base import ObjectiveConf
from .objectives.descriptor import DescriptorConf
from .objectives.distill import DistillConf
from .objectives.permakey import PermaKeyConf
from .objectives.ripe.objective import RIPEConf
from .objectives.rl import RLConf
from .objectives.sampling import SamplingConf
from .objectives.teachers import Combination
from .objectives.track.descriptor import TrackDescriptorConf
from .objectives.track.objective import TrackConf
from .objectives.transporter import TransporterConf
from .validation.repeatability import ValidationConf


@dataclass(frozen=True)
class RunConf:
    """One training run: network, data, objective, loop, and how it is judged meanwhile.

    ``data`` and ``objective`` are configurations of any plug-in; each names its own.
    """

    network: str = "dad"
    data: DataConf = field(default_factory=HomographyConf)
    objective: ObjectiveConf = field(default_factory=RLConf)
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
        ema_decay=0.998,
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

# The packaged descriptor: an hour of one CPU thread.
DESCRIPTOR = RunConf(
    network="hypercolumn",
    # Views are large, and few a step: what is around a point, up to 100 px away, must be in them.
    data=DescriptorPairsConf(size=352),
    objective=DescriptorConf(),
    loop=LoopConf(
        steps=4500,
        learning_rate=2e-3,
        weight_decay=1e-2,
        warmup=200,
        clip=2.0,
        ema_decay=0.998,
        validate_every=500,
    ),
    validation=ValidationConf(batches=8),
)

# The publication's values: 80 000 iterations of batch 6, an update every fourth.
RIPE = RunConf(
    network="ripe",
    data=DiskPhotoConf(size=560, batch=6),
    objective=RIPEConf(),
    loop=LoopConf(
        steps=20_000,
        learning_rate=1e-3,
        schedule="linear",
        final_rate=1e-3,
        clip=0.0,
        accumulate=4,
        validate_every=500,
    ),
)

# A CPU core, ten minutes.  A view has 256 cells instead of 4900: what every pair of cells costs is
# raised accordingly, and so is the weight of the policy, whose mean is over the pairs of cells.
# The descriptor's is raised with it: gradients are clipped, and the policy's would be all of it.
RIPE_NANO = replace(
    RIPE,
    network="ripe-nano",
    # From random weights hardly a match is right at first: views differ less than DaD's.
    data=LabelledHomographyConf(
        size=128, batch=6, rotation_deg=10.0, scale=1.15, shift_px=8.0, perspective=0.05
    ),
    objective=RIPEConf(
        penalty=1e-5, point_cost=1e-5, border=8, policy_weight=1e4, descriptor_weight=50.0
    ),
    loop=LoopConf(
        steps=800,
        learning_rate=2e-3,
        warmup=20,
        schedule="linear",
        final_rate=1e-3,
        clip=1.0,
        ema_decay=0.98,
        validate_every=40,
        log_every=10,
        save_every=40,
    ),
    validation=ValidationConf(nms_size=5, subpixel_temp=1.0, area_px=256.0, batches=8),
)

# The publication's values, on photos alone; --data names other sequences.
TRACK = RunConf(
    data=HomographySequenceConf(size=480, batch=120, curriculum=55_000),
    objective=TrackConf(),
    loop=LoopConf(steps=55_000, learning_rate=2e-4, final_rate=0.025, clip=1.0, validate_every=500),
)

# A CPU core, minutes: for a network that detects already (--init); nano holds it where it is.
TRACK_NANO = replace(
    TRACK,
    network="nano",
    data=HomographySequenceConf(size=192, batch=6, frames=2),
    objective=TrackConf(
        draws="peaks",
        peaks=SamplingConf(keypoints=(72, 72), nms_size=9, border=4),
        peaks_drawn=2.0,
        rank_weight=0.0,
        found_weight=4.0,
        baseline=True,
        consensus="nano",
        freeze_norm=True,
        warmup=0.0,
        entropy_weights=(0.0, 0.0),
    ),
    loop=LoopConf(
        steps=320,
        learning_rate=3e-4,
        final_rate=0.025,
        clip=1.0,
        warmup=20,
        ema_decay=0.98,
        log_every=10,
        validate_every=80,
        save_every=25,
    ),
    validation=NANO.validation,
)

# TraqPoint's first stage: losses and rate are the publication's; views are smaller, for a core.
TRACK_DESCRIPTOR = RunConf(
    network="hypercolumn",
    data=HomographyConf(size=192, batch=4, rotation_deg=30.0),
    objective=TrackDescriptorConf(),
    loop=LoopConf(
        steps=4000,
        learning_rate=1e-4,
        warmup=100,
        clip=1.0,
        ema_decay=0.998,
        validate_every=500,
    ),
    validation=ValidationConf(batches=4),
)

# The publication's values: 100 epochs of 85 000 frames in batches of 32.  The rate falls by the
# number of updates, of which a batch of PermaKey makes four, each of a network of its own.
PERMAKEY = RunConf(
    network="permakey",
    data=FramesConf(),
    objective=PermaKeyConf(),
    loop=LoopConf(
        steps=265_000,
        learning_rate=2e-4,
        weight_decay=0.0,
        schedule="staircase",
        decay=0.85,
        decay_steps=2500,
        clip=0.0,
        bf16=False,
        validate_every=2650,
    ),
)
TRANSPORTER = RunConf(
    network="transporter",
    data=FramePairsConf(),
    objective=TransporterConf(),
    loop=replace(PERMAKEY.loop, steps=156_000, decay=0.9, decay_steps=30_000, validate_every=1560),
)

# Minutes of a CPU core: half as wide, smaller predictors, small batches, larger steps.
_MINUTES = LoopConf(
    steps=2500,
    learning_rate=3e-3,
    weight_decay=0.0,
    warmup=50,
    clip=0.0,
    validate_every=400,
)
PERMAKEY_NANO = replace(
    PERMAKEY,
    data=FramesConf(batch=4),
    objective=PermaKeyConf(width=0.5, lsp_hidden=(256, 256, 128), placed=True, sharpness=10),
    loop=_MINUTES,
)
TRANSPORTER_NANO = replace(
    TRANSPORTER,
    data=FramePairsConf(batch=4),
    objective=TransporterConf(width=0.5, placed=True, sharpness=10),
    loop=_MINUTES,
)

PRESETS: dict[str, RunConf] = {
    "paper": PAPER,
    "dad": DAD,
    "nano": NANO,
    "descriptor": DESCRIPTOR,
    # On the features of the full network.
    "dad-descriptor": replace(
        DESCRIPTOR, network="dad-hypercolumn", objective=DescriptorConf(encoder="dad")
    ),
    "ripe": RIPE,
    "ripe-nano": RIPE_NANO,
    "track": TRACK,
    "track-nano": TRACK_NANO,
    "track-descriptor": TRACK_DESCRIPTOR,
    "permakey": PERMAKEY,
    "permakey-nano": PERMAKEY_NANO,
    "transporter": TRANSPORTER,
    "transporter-nano": TRANSPORTER_NANO,
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


def distillation(
    conf: RunConf,
    how: Combination = "max",
    *,
    teachers: Sequence[Path | str] = (),
    cache: Path | str | None = None,
    temperature: float = 1.0,
) -> RunConf:
    """The run that distills teachers (weights files, of any networks): network, data and loop of
    ``conf``, another objective.

    ``cache`` is a folder that keeps the teachers' maps for further students.
    """
    given: dict[str, Any] = {
        "how": how,
        "temperature": temperature,
        "teachers": tuple(map(str, teachers)),
        "cache": None if cache is None else str(cache),
    }
    objective = conf.objective
    if isinstance(objective, DistillConf):
        return replace(conf, objective=replace(objective, **given))
    if isinstance(objective, RLConf):
        # As its points are measured, but by the policy alone.
        given["sampling"] = replace(objective.sampling, balance=0.0)
        given["subpixel_temp"] = objective.subpixel_temp
    return replace(conf, objective=DistillConf(**given))
