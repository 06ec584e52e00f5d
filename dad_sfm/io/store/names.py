"""Names of images and pairs as HDF5 group names: what can be written, and what would collide."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from .errors import StoreError

MAX_NAME_BYTES = 1 << 16


def pair_key(name0: str, name1: str) -> str:
    """Return hloc's group name of a pair."""
    return "/".join((name0.replace("/", "-"), name1.replace("/", "-")))


def check_pair_keys(pairs: Iterable[tuple[str, str]], *, directed: bool = False) -> None:
    """Raise `StoreError` when one match file cannot hold all these pairs, because hloc's group
    names of two of them are equal, in either direction unless ``directed``.  Asked before hours of
    matching."""
    owners: dict[Hashable, tuple[str, str]] = {}
    for name0, name1 in pairs:
        names = tuple(name.replace("/", "-") for name in (name0, name1))
        key: Hashable = names if directed else frozenset(names)
        other = owners.setdefault(key, (name0, name1))
        same = other == (name0, name1) if directed else set(other) == {name0, name1}
        if not same or (not directed and names[0] == names[1]):
            raise StoreError(collision((name0, name1), other))


def collision(pair: tuple[str, ...], other: tuple[str, ...]) -> str:
    """Say that two pairs share a group name."""
    names = ", ".join(map(repr, dict.fromkeys((*pair, *other))))
    return (
        f"a match file cannot tell the images {names} apart, because hloc writes '/' as '-' in it; "
        "rename them"
    )


def check_key(key: str) -> None:
    """Raise `StoreError` for a name that no HDF5 group can have."""
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise StoreError(
            f"the name {key!r} is not valid Unicode, so no HDF5 file can hold it; rename the image"
        ) from None
    if size > MAX_NAME_BYTES or "\0" in key or not set(key.split("/")).isdisjoint({"", "."}):
        raise StoreError(f"{key[:200]!r} cannot be the name of an HDF5 group; rename the image")


def parents(key: str) -> Iterator[str]:
    """Yield the folders of a key, the innermost first."""
    while "/" in key:
        key = key.rpartition("/")[0]
        yield key
