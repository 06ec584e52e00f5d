"""Plug-ins by name: one line a plug-in, imported only when it is asked for."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from .config import ConfigError, build

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Licence:
    """The terms of a plug-in's code and weights.

    terms       whose and which, for the reader
    commercial  false where a commercial use is forbidden, or nothing is said at all
    """

    terms: str
    commercial: bool = True


class Registry:
    """Names of plug-ins of one kind and the classes behind them.

    A plug-in class declares its configuration as a nested frozen dataclass ``Conf`` and its terms
    as a `Licence`, ``licence``, and is made by ``cls(conf, device=...)``.  Entries are
    ``"module:Class"`` strings, so that listing the names imports nothing.

    Other packages add plug-ins by entry points of the group ``group``, such as
    ``dad_sfm.detectors``; a name of ours cannot be taken.
    """

    def __init__(self, kind: str, entries: Mapping[str, str], *, group: str | None = None) -> None:
        self.kind = kind
        self.group = group
        self._entries = dict(entries)

    @property
    def _all(self) -> dict[str, str]:
        return {**_installed(self.group), **self._entries} if self.group else self._entries

    @property
    def names(self) -> list[str]:
        return sorted(self._all)

    def add(self, name: str, target: str) -> None:
        """Register a plug-in of your own: ``target`` is ``"module:Class"``."""
        self._entries[name] = target

    def plugin(self, name: str) -> Any:
        """The class behind a name.  Raises `ConfigError` that lists the names there are."""
        entries = self._all
        if name not in entries:
            raise ConfigError(f"unknown {self.kind} {name!r}; there are: {', '.join(self.names)}")
        module, _, attribute = entries[name].partition(":")
        return getattr(import_module(module), attribute)

    def conf(self, options: Mapping[str, Any]) -> Any:
        """The checked ``Conf`` of ``{"name": ..., **options}``."""
        values = dict(options)
        name = values.pop("name", None)
        if name is None:
            raise ConfigError(f"{self.kind}: missing key 'name'; one of {', '.join(self.names)}")
        return build(self.plugin(name).Conf, values, where=f"{self.kind} {name}")

    def make(self, options: Mapping[str, Any], *, device: str = "cpu") -> Any:
        """Build the plug-in that ``{"name": ..., **options}`` describes.

        Warns when its licence forbids commercial use.
        """
        plugin = self.plugin(options.get("name", ""))
        made = plugin(self.conf(options), device=device)
        licence = getattr(plugin, "licence", None)
        if licence is not None:
            warn_of_licence(f"{self.kind} {options['name']}", licence)
        return made


def warn_of_licence(what: str, licence: Licence) -> None:
    """Log a warning where a licence forbids commercial use."""
    if not licence.commercial:
        logger.warning("%s is not for commercial use: %s", what, licence.terms)


@cache
def _installed(group: str) -> dict[str, str]:
    """Entry points of a group: name -> "module:Class".  Reading them imports none."""
    return {point.name: point.value for point in entry_points(group=group)}
