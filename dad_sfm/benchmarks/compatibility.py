"""Which matcher goes with which features, and how it was tested: the table of docs/matchers.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import extract_features, match_features
from ..execution.extractor import Extractor, descriptor_name
from ..matchers import MATCHERS
from ..matchers.base import MissingPackageError
from ..matchers.compatibility import accepts, needs_of
from ..matchers.dense.base import DenseMatcher
from ..models.checkpoints import CheckpointError, offline

REAL, WARP, INTERFACE, REFUSED = "real", "exact warp", "interface", "–"
LEGEND = {
    REAL: "runs here with its real weights, or needs none",
    WARP: "its weights are not here: the same code was run with exact warps, and noise on them",
    INTERFACE: "weights of the features or of the matcher are not here: run with random weights, "
    "or around a model that answers as theirs does",
    REFUSED: "refused: not made for these descriptors, or there are none",
}


def compatibility() -> list[str]:
    """Lines of markdown: a row for features whose descriptors are alike, a column for matchers that
    answer alike; by trying to make each one with the weights that are at hand, offline."""
    with offline():
        features = _grouped({n: _features(c["model"]) for n, c in extract_features.confs.items()})
        matchers = {name: _matcher(conf["model"]) for name, conf in match_features.confs.items()}
    rows = {kind: {m: _cell(kind, matchers[m]) for m in matchers} for kind in features}
    columns = _grouped({m: tuple(row[m] for row in rows.values()) for m in matchers})
    lines = [_row(["features", *(_names(names) for names in columns.values())])]
    lines.append("|" + "---|" * (1 + len(columns)))
    for kind, names in features.items():
        lines.append(_row([_names(names), *(rows[kind][group[0]] for group in columns.values())]))
    return [*lines, "", *(f"- **{key}**: {text}." for key, text in LEGEND.items())]


def _features(model: Mapping[str, Any]) -> tuple[str | None, bool]:
    """The name of the descriptors, and whether the weights are here."""
    try:
        Extractor(model)
    except (CheckpointError, ImportError):
        return descriptor_name(model), False
    return descriptor_name(model), True


def _matcher(model: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """The matcher, and how it was tested."""
    try:
        MATCHERS.make(model)
    except (CheckpointError, MissingPackageError):
        dense = issubclass(MATCHERS.plugin(model["name"]), DenseMatcher)
        return model, WARP if dense else INTERFACE
    return model, REAL


def _cell(features: tuple[str | None, bool], matcher: tuple[Mapping[str, Any], str]) -> str:
    (descriptor, at_hand), (model, tested) = features, matcher
    if MATCHERS.plugin(model["name"]).needs_descriptors and (
        descriptor is None or not accepts(needs_of(model), descriptor)
    ):
        return REFUSED
    return tested if at_hand else INTERFACE


def _grouped(values: Mapping[str, Any]) -> dict[Any, list[str]]:
    """Names by equal values, in order."""
    groups: dict[Any, list[str]] = {}
    for name, value in values.items():
        groups.setdefault(value, []).append(name)
    return groups


def _names(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
