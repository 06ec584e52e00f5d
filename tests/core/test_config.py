"""Configuration: what does not fit is an error that names the place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pytest

from dad_sfm.core.config import ConfigError, build, changed, to_dict, to_json


@dataclass(frozen=True)
class Inner:
    size: int = 3


@dataclass(frozen=True)
class Conf:
    budget: int
    ratio: float | None = None
    kind: Literal["a", "b"] = "a"
    sides: tuple[float, ...] = (1.0, 2.0)
    inner: Inner = field(default_factory=Inner)


def test_nested_dicts_become_dataclasses() -> None:
    conf = build(Conf, {"budget": 8, "ratio": 1, "inner": {"size": 5}, "sides": [4]}, where="model")
    assert conf == Conf(8, 1.0, "a", (4,), Inner(5))
    assert isinstance(conf.ratio, float)


def test_defaults_are_written_out_and_accepted_again() -> None:
    conf = Conf(8)
    assert to_dict(conf)["inner"] == {"size": 3}
    assert build(Conf, to_dict(conf), where="model") == conf


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"budget": 8, "ratoi": 0.8}, "model: unknown key 'ratoi'; known: .*ratio"),
        ({}, "model: missing key 'budget'"),
        ({"budget": "8"}, r"model.budget: expected int, got '8'"),
        ({"budget": True}, r"model.budget: expected int, got True"),
        ({"budget": 8, "ratio": ".5"}, r"model.ratio: expected float, got '\.5'"),
        ({"budget": 8, "kind": "c"}, "model.kind: 'c' is not one of 'a', 'b'"),
        ({"budget": 8, "inner": {"sise": 1}}, "model.inner: unknown key 'sise'"),
        ({"budget": 8, "inner": 3}, "model.inner: expected a dict"),
    ],
)
def test_what_does_not_fit_is_refused(values: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(Conf, values, where="model")


def test_equal_configurations_have_equal_json() -> None:
    a = build(Conf, {"budget": 8, "kind": "b"}, where="")
    b = build(Conf, {"kind": "b", "budget": 8}, where="")
    assert to_json(a) == to_json(b) == to_json(to_dict(a))
    assert to_json(a) != to_json(Conf(9))


def test_fields_are_changed_by_dotted_paths() -> None:
    conf = changed(Conf(8), {"inner.size": 5, "kind": "b"}, where="--set")
    assert conf == Conf(8, kind="b", inner=Inner(5))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inner.sise": 5}, "--set.inner: unknown key 'sise'; known: size"),
        ({"budget.size": 5}, "--set.budget is a value: it has no 'size'"),
        ({"inner.size": "5"}, "--set.inner.size: expected int, got '5'"),
    ],
)
def test_changes_that_do_not_fit_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        changed(Conf(8), changes, where="--set")
