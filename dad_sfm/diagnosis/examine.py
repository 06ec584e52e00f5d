"""All that `dad-sfm doctor` looks at, in order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .finding import Finding
from .installation import installation
from .self_test import self_test
from .surroundings import colmap, devices, disk, weights


def examine(
    folder: Path | str = ".", *, device: str = "auto", with_self_test: bool = True
) -> Iterator[Finding]:
    """Yield findings as they are made.

    folder  where results would be written
    """
    yield from installation()
    yield from devices()
    yield from colmap()
    yield from weights()
    yield from disk(Path(folder))
    if with_self_test:
        yield from self_test(device)
