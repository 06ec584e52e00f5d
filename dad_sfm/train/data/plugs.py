"""Data plugs by name, one registry for each kind of batch.

An objective names the registry of its kind (`Objective.data`), so that ``--data`` offers what it
can be trained on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from ...core.config import ConfigError
from ...core.registry import Registry
from .batch import Data, DataConf

# Plugs whose batches are `PairBatch`: two views, a dense warp each way.
PAIRS = Registry(
    "data",
    {
        "homography": "dad_sfm.train.data.homography_pairs:HomographyPairs",
        "rendered": "dad_sfm.train.data.rendered_pairs:RenderedPairs",
        "mixed": "dad_sfm.train.data.mixed_pairs:MixedPairs",
        "megadepth": "dad_sfm.train.data.megadepth_pairs:MegaDepthPairs",
    },
    group="dad_sfm.training_pairs",
)
# Plugs whose batches are `DescribedBatch`: points of two views, a teacher's descriptors of them.
DESCRIBED = Registry(
    "data",
    {"described": "dad_sfm.train.data.descriptor_pairs:DescriptorPairs"},
    group="dad_sfm.training_descriptors",
)

# Plugs whose batches are `LabelledBatch`: two images that show the same place, or not.
LABELLED = Registry(
    "data",
    {
        "acdc": "dad_sfm.train.data.acdc_pairs:ACDCPairs",
        "folders": "dad_sfm.train.data.folder_pairs:FolderPairs",
        "homography": "dad_sfm.train.data.labelled_views:LabelledHomographies",
        "megadepth": "dad_sfm.train.data.disk_photo_pairs:DiskPhotoPairs",
        "mixture": "dad_sfm.train.data.mixture:Mixture",
        "rendered": "dad_sfm.train.data.labelled_views:LabelledRendered",
        "tokyo": "dad_sfm.train.data.tokyo_pairs:TokyoPairs",
    },
    group="dad_sfm.labelled_pairs",
)

# Plugs whose batches are `SequenceBatch`: a reference, other frames, a dense warp to each.
SEQUENCES = Registry(
    "data",
    {
        "homography": "dad_sfm.train.data.homography_sequences:HomographySequences",
        "megadepth": "dad_sfm.train.data.megadepth_sequences:MegaDepthSequences",
        "mixture": "dad_sfm.train.data.mixture:SequenceMixture",
        "posed": "dad_sfm.train.data.posed_sequences:PosedSequences",
        "rendered": "dad_sfm.train.data.rendered_sequences:RenderedSequences",
    },
    group="dad_sfm.training_sequences",
)

# Plugs whose batches are `FrameBatch`, and those whose batches are `FramePairBatch`.
FRAMES = Registry(
    "data",
    {"frames": "dad_sfm.train.data.video_frames:VideoFrames"},
    group="dad_sfm.training_frames",
)
FRAME_PAIRS = Registry(
    "data",
    {"frame-pairs": "dad_sfm.train.data.video_frames:VideoFramePairs"},
    group="dad_sfm.training_frame_pairs",
)


def make_data(registry: Registry, conf: DataConf, photos: Sequence[Path | str], seed: int) -> Data:
    """Make the plug that a configuration is for."""
    data: Data = registry.plugin(conf.name)(photos, conf, seed=seed)
    return data


def data_conf(registry: Registry, name: str, preset: DataConf, **options: Any) -> DataConf:
    """The preset's configuration, or that of another plug with images and batches of its sizes.

    A name "one+other" is that of a mixture; its parts take the options that they have.  ``options``
    that are None are left out.  Raises `ConfigError` for an unknown name, and for an option that
    no plug has.
    """
    given = {key: value for key, value in options.items() if value is not None}
    names = name.split("+")
    parts = [_plug_conf(registry, each, preset, given) for each in names]
    known = {f.name for part in parts for f in fields(part)}
    if strangers := sorted(given.keys() - known):
        raise ConfigError(f"--{strangers[0].replace('_', '-')} does not go with --data {name}")
    if len(parts) == 1:
        return parts[0]
    mixture = registry.plugin("mixture").Conf
    mixed: DataConf = mixture(
        size=preset.size, batch=parts[0].batch, names=tuple(names), parts=tuple(parts)
    )
    return mixed


def _plug_conf(
    registry: Registry, name: str, preset: DataConf, given: Mapping[str, Any]
) -> DataConf:
    """The configuration of one plug, with those of the options that it has."""
    plug = registry.plugin(name).Conf
    conf: Any = preset
    if type(preset) is not plug:
        conf = plug(size=preset.size, batch=preset.batch)
    own = {f.name for f in fields(conf)}
    changed: DataConf = replace(conf, **{k: v for k, v in given.items() if k in own})
    return changed


def needs_photos(registry: Registry, name: str) -> bool:
    """Whether a plug, or one of a mixture, can be made of photos only."""
    return any(getattr(registry.plugin(each), "needs_photos", False) for each in name.split("+"))
