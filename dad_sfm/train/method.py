"""What the command line knows of an objective."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..core.config import ConfigError
from .presets import RunConf


@dataclass(frozen=True)
class Method:
    """What the command line knows of an objective beyond the options of every run.

    preset     the one that is taken when none is named
    data       its own options that are fields of data plugs
    configure  the run of the preset and the method's own options
    """

    summary: str
    aliases: Sequence[str] = ()
    add_arguments: Callable[[argparse.ArgumentParser], None] | None = None
    configure: Callable[[RunConf, argparse.Namespace], RunConf] | None = None
    preset: str = "nano"
    data: Sequence[str] = ()


def check_preset(conf: RunConf, options: argparse.Namespace) -> RunConf:
    """The run as it is; raises `ConfigError` for the preset of another objective."""
    if conf.objective.name != options.objective:
        raise ConfigError(
            f"--preset {options.preset} is one of `train {conf.objective.name}`, not of "
            f"`train {options.objective}`"
        )
    return conf
