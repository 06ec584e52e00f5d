"""Configuration: frozen dataclasses, built from plain dicts in which an unknown key is an error.

A preset ("conf") is a plain dict of hloc's shape, so that users copy and change it as they do
with hloc's.  It becomes a dataclass at the door of a step, and is stored as JSON in every file
that the step writes; resuming a file made by another configuration is refused.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, Union

T = TypeVar("T")


class ConfigError(ValueError):
    """A configuration holds an unknown key, lacks one, or has a value of the wrong kind."""


class Presets(dict[str, dict[str, Any]]):
    """Presets by name; asking for one that is not there raises `ConfigError` that lists them.

    kind  names them in that message ("feature preset")
    """

    def __init__(self, kind: str, presets: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__({name: dict(conf) for name, conf in presets.items()})
        self.kind = kind

    def __missing__(self, name: str) -> dict[str, Any]:
        known = ", ".join(sorted(self))
        raise ConfigError(f"unknown {self.kind} {name!r}; there are: {known}")


def preset(
    presets: Mapping[str, Mapping[str, Any]], chosen: str | Mapping[str, Any], kind: str
) -> dict[str, Any]:
    """Return a copy of the preset of a name, or of ``chosen`` itself, to be changed.

    ``kind`` names it in messages ("feature preset").  Raises `ConfigError` that lists the names.
    """
    if not isinstance(chosen, str):
        return copy.deepcopy(dict(chosen))
    return copy.deepcopy(Presets(kind, presets)[chosen])


def build(cls: type[T], values: Mapping[str, Any], *, where: str) -> T:
    """Make the frozen dataclass ``cls`` from a plain dict.

    ``where`` names the place in messages (``"model"``).  Nested dataclasses are built from nested
    dicts.  Raises `ConfigError` on unknown or missing keys and on values of the wrong type.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where}: expected a dict, got {values!r}")
    hints = typing.get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(fields))
    if unknown:
        raise ConfigError(
            f"{where}: unknown key {', '.join(map(repr, unknown))}; known: {', '.join(fields)}"
        )
    missing = [
        name
        for name, f in fields.items()
        if name not in values
        and f.default is dataclasses.MISSING
        and f.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise ConfigError(f"{where}: missing key {', '.join(map(repr, missing))}")
    return cls(**{k: _convert(hints[k], v, f"{where}.{k}") for k, v in values.items()})


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in args:
            return None
        (hint,) = [a for a in args if a is not type(None)] if len(args) == 2 else (Any,)
        return _convert(hint, value, where)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return value if isinstance(value, hint) else build(hint, value, where=where)
    if origin is Literal:
        if value not in args:
            raise ConfigError(f"{where}: {value!r} is not one of {', '.join(map(repr, args))}")
        return value
    if origin is tuple and isinstance(value, (list, tuple)):
        return tuple(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint in (int, float, str, bool) and (
        not isinstance(value, hint) or (hint is int and isinstance(value, bool))
    ):
        raise ConfigError(f"{where}: expected {hint.__name__}, got {value!r}")
    return value


def changed(conf: T, changes: Mapping[str, Any], *, where: str) -> T:
    """``conf`` with other values for some fields, named by dotted paths ("loop.steps").

    Raises `ConfigError` on an unknown name and on values of the wrong type.
    """
    for path, value in changes.items():
        name, _, rest = path.partition(".")
        fields = [f.name for f in dataclasses.fields(conf)]  # type: ignore[arg-type]
        if name not in fields:
            raise ConfigError(f"{where}: unknown key {name!r}; known: {', '.join(fields)}")
        at = f"{where}.{name}"
        if not rest:
            value = _convert(typing.get_type_hints(type(conf))[name], value, at)
        elif dataclasses.is_dataclass(inner := getattr(conf, name)):
            value = changed(inner, {rest: value}, where=at)
        elif isinstance(inner, Mapping):
            value = _with_entry(inner, rest, value)
        else:
            raise ConfigError(f"{at} is a value: it has no {rest!r}")
        conf = dataclasses.replace(conf, **{name: value})  # type: ignore[type-var]
    return conf


def _with_entry(values: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of nested dicts with one entry set.  Plug-ins check their own options."""
    name, _, rest = path.partition(".")
    if rest:
        inner = values.get(name)
        value = _with_entry(inner if isinstance(inner, Mapping) else {}, rest, value)
    return {**values, name: value}


def read_yaml(path: Path | str) -> dict[str, Any]:
    """Read a configuration file.

    Raises FileNotFoundError, and `ConfigError` for what is not YAML or not a mapping.
    """
    import yaml

    if not Path(path).is_file():
        raise FileNotFoundError(f"no such configuration file: {path}")
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not a YAML file ({error})") from error
    if values is not None and not isinstance(values, dict):
        raise ConfigError(f"{path}: expected keys and values, got {type(values).__name__}")
    return values or {}


def to_dict(conf: Any) -> dict[str, Any]:
    """The plain dict that `build` accepts, with every default written out."""
    return dataclasses.asdict(conf)


def to_json(conf: Any) -> str:
    """Canonical JSON of a dataclass or dict: equal configurations give equal text."""
    values = to_dict(conf) if dataclasses.is_dataclass(conf) else conf
    return json.dumps(values, sort_keys=True, ensure_ascii=False)
