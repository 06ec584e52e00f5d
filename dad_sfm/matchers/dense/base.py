"""What a dense matcher is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from ...geometry.mappings import Warp


class MissingMatcherError(ImportError):
    """The package of a dense matcher is not installed.  The message says how to get it."""


class DenseMatcher(Protocol):
    """Finds where every point of a photo is in another.  The class also declares a frozen
    dataclass ``Conf`` and its terms, ``licence``, and is made by ``cls(conf, device=...)``.

    identity  what makes the warp, for the result: at least ``name``, and ``weights`` (a SHA-256)
    """

    identity: dict[str, Any]

    def match(self, path_a: Path, path_b: Path) -> Warp: ...
