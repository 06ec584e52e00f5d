"""Plug-ins by name: one line a plug-in, imported only when it is asked for."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
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
    """

    def __init__(self, kind: str, entries: Mapping[str, str]) -> None:
        self.kind = kind
        self._entries = dict(entries)

    @property
    def names(self) -> list[str]:
        return sorted(self._entries)

    def add(self, name: str, target: str) -> None:
        """Register a plug-in of your own: ``target`` is ``"module:Class"``."""
        self._entries[name] = target

    def plugin(self, name: str) -> Any:
        """The class behind a name.  Raises `ConfigError` that lists the names there are."""
        if name not in self._entries:
            raise ConfigError(f"unknown {self.kind} {name!r}; there are: {', '.join(self.names)}")
        module, _, attribute = self._entries[name].partition(":")
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
        if licence is not None and not licence.commercial:
            logger.warning(
                "%s %s is not for commercial use: %s", self.kind, options["name"], licence.terms
            )
        return made
