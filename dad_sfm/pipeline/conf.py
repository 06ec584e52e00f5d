"""What decides the result of a reconstruction, as one object of nested frozen parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import extract_features, match_features
from ..colmap.camera_groups import AUTO, check_model
from ..colmap.cameras import CameraMode
from ..colmap.mapping import Mapper, mapper_options
from ..colmap.verification import Verification
from ..core import config
from ..core.config import ConfigError
from ..extract_features import ExtractionConf
from ..match_features import MatchingConf
from ..pairing.union import make_strategies

Part = str | Mapping[str, Any]


@dataclass(frozen=True)
class PairingConf:
    """Which images are matched: a strategy of `PAIRING` or several, ``spatial+sequential``, and
    their own options; see `pairs.main`."""

    strategy: str = "exhaustive"
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CamerasConf:
    """Which images share a camera, and what is known of it; see `database.main`.

    fixed  intrinsics, and the poses of cameras in their rigs, are left as they are
    """

    mode: CameraMode = "auto"
    model: str = AUTO
    params: tuple[float, ...] | None = None
    intrinsics: str | None = None
    rigs: str | None = None
    fixed: bool = False


@dataclass(frozen=True)
class MappingConf:
    """COLMAP's mapper; see `reconstruction.main`."""

    mapper: Mapper = "incremental"
    start: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    refine_principal_point: bool = True


def _features() -> ExtractionConf:
    return _part(ExtractionConf, "features", extract_features.preset("dad-nano+rootsift"))


def _matcher() -> MatchingConf:
    return _part(MatchingConf, "matcher", match_features.preset("NN-mutual"))


@dataclass(frozen=True)
class ReconstructionConf:
    """Everything that decides what comes out, and nothing that does not (device, threads).

    It is stamped into ``report.json``.  Make one with `make`, which takes presets by name; change
    one with `changed`.
    """

    features: ExtractionConf = field(default_factory=_features)
    pairing: PairingConf = field(default_factory=PairingConf)
    matcher: MatchingConf = field(default_factory=_matcher)
    cameras: CamerasConf = field(default_factory=CamerasConf)
    verification: Verification = field(default_factory=Verification)
    mapping: MappingConf = field(default_factory=MappingConf)
    seed: int = 0

    @classmethod
    def make(cls, parts: Mapping[str, Any] | None = None, **more: Any) -> ReconstructionConf:
        """Build from parts by name, as a YAML file holds them.

        ``features`` and ``matcher`` may be names of presets, ``pairing`` the name of a strategy;
        every part may be a dict or an object of its class.  Raises `ConfigError`.

        >>> ReconstructionConf.make(features="sift", pairing={"strategy": "sequential"})
        """
        values = {**(parts or {}), **more}
        for name, preset in (
            ("features", extract_features.preset),
            ("matcher", match_features.preset),
        ):
            if isinstance(values.get(name), (str, Mapping)):
                values[name] = preset(values[name])
        if isinstance(values.get("pairing"), str):
            values["pairing"] = {"strategy": values["pairing"]}
        return config.build(cls, values, where="configuration")

    @classmethod
    def read(cls, path: Path | str) -> ReconstructionConf:
        """Read a YAML file; see `make`.  Raises `ConfigError` and FileNotFoundError."""
        return cls.make(config.read_yaml(path))

    def changed(self, changes: Mapping[str, Any]) -> ReconstructionConf:
        """Return a copy with other values, named by dotted paths: ``{"cameras.mode": "single"}``.

        Raises `ConfigError`.
        """
        return config.changed(self, changes, where="configuration")

    def check(self) -> None:
        """Check every option before the first image is read.

        Raises `ConfigError`, `CameraError` or `PairsError` for what a step would refuse later.
        """
        extract_features.check(self.features)
        match_features.check(self.matcher)
        make_strategies(self.pairing.strategy, self.pairing.options)
        check_model(self.cameras.model, self.cameras.params)
        mapper_options(self.mapping.options, self.mapping.mapper)
        if self.seed < 0:
            raise ConfigError(f"configuration.seed: {self.seed} is negative")


def _part(cls: type, where: str, values: Mapping[str, Any]) -> Any:
    return config.build(cls, values, where=where)
