"""Data plugs by name, one registry for each kind of batch.

An objective names the registry of its kind (`Objective.data`), so that ``--data`` offers what it
can be trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
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


def make_data(registry: Registry, conf: DataConf, photos: Sequence[Path | str], seed: int) -> Data:
    """Make the plug that a configuration is for."""
    data: Data = registry.plugin(conf.name)(photos, conf, seed=seed)
    return data


def data_conf(registry: Registry, name: str, preset: DataConf, **options: Any) -> DataConf:
    """The preset's configuration, or that of another plug with images and batches of its sizes.

    ``options`` that are None are left out.  Raises `ConfigError` for an unknown name, and for an
    option that the plug does not have.
    """
    plug = registry.plugin(name).Conf
    conf: Any = preset
    if type(preset) is not plug:
        conf = plug(size=preset.size, batch=preset.batch)
    given = {key: value for key, value in options.items() if value is not None}
    strangers = sorted(given.keys() - {f.name for f in fields(conf)})
    if strangers:
        raise ConfigError(f"--{strangers[0].replace('_', '-')} does not go with --data {name}")
    changed: DataConf = replace(conf, **given)
    return changed
