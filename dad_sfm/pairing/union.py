"""Several strategies at once, ``"spatial+sequential"``, and which of them each pair came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from ..core.config import ConfigError
from ..io.pairs_file import Pair, unordered
from . import PAIRING
from .base import Collection, Pairing


def make_strategies(strategy: str, options: Mapping[str, Any]) -> list[tuple[str, Pairing]]:
    """The strategies that ``a+b`` names, each with its options.

    An option goes to every strategy that has it, ``{"b.option": x}`` or ``{"b": {"option": x}}``
    to ``b`` alone.  Raises `ConfigError` for an unknown strategy, or an option that none has.
    """
    names = strategy.split("+")
    known = {name: {f.name for f in fields(PAIRING.plugin(name).Conf)} for name in names}
    chosen: dict[str, dict[str, Any]] = {name: {} for name in names}
    flat: dict[str, Any] = {}
    for option, value in options.items():
        if option in known and isinstance(value, Mapping):
            flat |= {f"{option}.{inner}": v for inner, v in value.items()}
        else:
            flat[option] = value
    for option, value in flat.items():
        owner, dot, inner = option.rpartition(".")
        takers = [owner] if dot else [n for n in names if option in known[n]]
        if not takers or not known.keys() >= set(takers):
            every = "; ".join(f"{n}: {', '.join(sorted(known[n])) or 'none'}" for n in names)
            raise ConfigError(f"pairs: unknown option {option!r}; there are for {every}")
        for name in takers:
            chosen[name][inner] = value
    return [(name, PAIRING.make({"name": name, **chosen[name]})) for name in names]


def union(images: Collection, strategies: Sequence[tuple[str, Pairing]]) -> dict[Pair, list[str]]:
    """Every pair once, in the direction and order in which it first came, with the names of the
    strategies that chose it."""
    direction: dict[Pair, Pair] = {}
    origins: dict[Pair, list[str]] = {}
    for name, choose in strategies:
        for pair in choose(images):
            if pair[0] == pair[1]:
                continue
            known = direction.setdefault(unordered(pair), pair)
            came = origins.setdefault(known, [])
            if name not in came:
                came.append(name)
    return origins
