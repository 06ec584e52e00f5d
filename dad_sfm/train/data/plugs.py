"""The data plugs by name: what a run can be trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ...core.config import ConfigError
from .batch import Data
from .homography_pairs import HomographyConf, HomographyPairs
from .megadepth_pairs import MegaDepthConf, MegaDepthPairs
from .mixed_pairs import MixedConf, MixedPairs
from .rendered_pairs import RenderedConf, RenderedPairs
from .view_sampling import ViewConf

DataConf = HomographyConf | RenderedConf | MixedConf | MegaDepthConf


@dataclass(frozen=True)
class DataPlug:
    """The configuration of a plug, and what makes it: from photos (or folders of them), a
    configuration and a seed."""

    conf: type[ViewConf]
    make: Callable[[Sequence[Path | str], Any, int], Data]


DATA: dict[str, DataPlug] = {
    "homography": DataPlug(HomographyConf, lambda p, c, seed: HomographyPairs(p, c, seed=seed)),
    "rendered": DataPlug(RenderedConf, lambda p, c, seed: RenderedPairs(p, c, seed=seed)),
    "mixed": DataPlug(MixedConf, lambda p, c, seed: MixedPairs(p, c, seed=seed)),
    "megadepth": DataPlug(MegaDepthConf, lambda _, c, seed: MegaDepthPairs(c, seed=seed)),
}


def make_data(conf: DataConf, photos: Sequence[Path | str], *, seed: int) -> Data:
    """The plug that a configuration is for."""
    (plug,) = (plug for plug in DATA.values() if plug.conf is type(conf))
    return plug.make(photos, conf, seed)


def data_conf(name: str, preset: DataConf, **options: Any) -> DataConf:
    """The preset's configuration, or that of another plug with views and batches of its sizes.

    ``options`` that are None are left out.  Raises `ConfigError` for an option that the plug does
    not have.
    """
    plug = DATA[name].conf
    conf: Any = preset
    if type(preset) is not plug:
        conf = plug(size=preset.size, batch=preset.batch)
    given = {key: value for key, value in options.items() if value is not None}
    strangers = sorted(given.keys() - {f.name for f in fields(conf)})
    if strangers:
        raise ConfigError(f"--{strangers[0]} does not go with --data {name}")
    return replace(conf, **given)
