"""Which matcher takes which features; asked before the first pair is matched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..io.store import FeatureReader
from . import MATCHERS
from .base import Requirements, requirements

Side = tuple[FeatureReader, Sequence[str]]  # a feature file, and the images that are matched
_LISTED = 20  # names that a message lists


class MatchingError(ValueError):
    """Pairs, features and matcher do not go together.  The message says what to do."""


def descriptor_of(provenance: Mapping[str, Any]) -> dict[str, Any] | None:
    """What made the descriptors of a feature file, by its provenance; None for another tool's."""
    identity = provenance.get("identity", {})
    return identity.get("descriptor", identity.get("detector"))


def accepts(needs: Requirements, descriptor: str) -> bool:
    """Whether a matcher takes descriptors of this name."""
    return needs.descriptors is None or descriptor in needs.descriptors


def takers(descriptor: str, presets: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The matcher presets that take descriptors of a name, sorted."""
    return sorted(
        name for name, preset in presets.items() if accepts(needs_of(preset["model"]), descriptor)
    )


def needs_of(model: Mapping[str, Any]) -> Requirements:
    """What the matcher takes that a ``model`` dict describes.  Raises `ConfigError`."""
    return requirements(MATCHERS.plugin(model.get("name", "")), MATCHERS.conf(model))


def check_descriptors(sides: Sequence[Side]) -> None:
    """Raises `MatchingError` unless all images have descriptors, and of one kind."""
    dims: dict[int, str] = {}
    for reader, names in sides:
        lacking = [name for name in names if not reader.has_descriptors(name)]
        if lacking:
            raise MatchingError(
                f"{reader.path}: no descriptors of {len(lacking)} of {len(names)} images: "
                f"{listed(lacking)}; extract with a descriptor (a preset such as "
                "'dad-nano+rootsift', or the key 'descriptor' under 'model'), or take a matcher "
                "that needs none"
            )
        for name in names:
            dim = reader.descriptor_dim(name)
            if dim is not None:
                dims.setdefault(dim, f"{name} in {reader.path}")
    if len(dims) > 1:
        found = "; ".join(f"{dim}-D: {where}" for dim, where in dims.items())
        raise MatchingError(f"descriptors of different kinds cannot be matched ({found})")
    kinds = [(kind, r.path) for r, _ in sides if (kind := descriptor_of(r.provenance)) is not None]
    if len(kinds) == 2 and kinds[0][0] != kinds[1][0]:
        found = ", ".join(f"{path} holds {kind}" for kind, path in kinds)
        raise MatchingError(
            f"descriptors of different kinds cannot be matched: {found}; extract both with one "
            "configuration"
        )


def check_fit(
    model: Mapping[str, Any],
    sides: Sequence[Side],
    *,
    presets: Mapping[str, Mapping[str, Any]],
) -> None:
    """Raises `MatchingError` unless the matcher that ``model`` describes was made for these
    descriptors; the message lists the ``presets`` that were.

    A file of another tool does not say what made it: it is judged by its dimension.
    """
    needs = needs_of(model)
    for reader, names in sides:
        if (kind := descriptor_of(reader.provenance)) is not None:
            check_name(model, str(kind.get("name")), holder=str(reader.path), presets=presets)
        dims = {reader.descriptor_dim(image) for image in names} - {None}
        if needs.dim is not None and dims - {needs.dim}:
            raise MatchingError(
                f"{reader.path} holds {min(d for d in dims if d)}-D descriptors, but the matcher "
                f"{described(model)} takes {needs.dim}-D ones"
            )
        if needs.frames:
            _check_frames(model, reader, names)


def check_name(
    model: Mapping[str, Any],
    descriptor: str,
    *,
    holder: str,
    presets: Mapping[str, Mapping[str, Any]],
) -> None:
    """Raises `MatchingError` unless the matcher takes descriptors of this name, which ``holder``
    holds; the message lists the ``presets`` that do."""
    needs = needs_of(model)
    if not accepts(needs, descriptor):
        raise MatchingError(
            f"{holder} holds descriptors of {descriptor}, but the matcher {described(model)} was "
            f"made for {', '.join(needs.descriptors or ())}; matchers that take {descriptor}: "
            f"{', '.join(takers(descriptor, presets))}"
        )


def _check_frames(model: Mapping[str, Any], reader: FeatureReader, names: Sequence[str]) -> None:
    read = {name: reader.read(name, descriptors=False) for name in names}
    lacking = [name for name, f in read.items() if len(f) and (f.scales is None or f.oris is None)]
    if lacking:
        raise MatchingError(
            f"{reader.path}: the matcher {described(model)} needs scales and orientations of the "
            f"keypoints, which {len(lacking)} of {len(names)} images lack: {listed(lacking)}; "
            "extract them with a detector that measures both (sift)"
        )


def described(model: Mapping[str, Any]) -> str:
    """A matcher's name, with what tells its variants apart."""
    variants = [str(model[key]) for key in ("features", "variant") if key in model]
    return " ".join([str(model.get("name")), *variants])


def listed(names: Iterable[str]) -> str:
    """Names for a message, not too many."""
    known = list(names)
    rest = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    return ", ".join(known[:_LISTED]) + rest
