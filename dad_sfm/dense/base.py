"""What a dense matcher is.  numpy only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np


class MissingMatcherError(ImportError):
    """The package of a dense matcher is not installed.  The message says how to get it."""


@dataclass(frozen=True)
class Warp:
    """What a dense matcher says about a pair of images.

    b_from_a   H×W×2: where the centres of an H×W grid over image A are in B, normalised frame
               (the image spans [-1, 1]); the grid need not have the size of the image
    certainty  H×W in [0, 1]; 0 where A's surface is not in B
    """

    b_from_a: np.ndarray
    certainty: np.ndarray

    def __post_init__(self) -> None:
        if self.b_from_a.shape != (*self.certainty.shape, 2):
            raise ValueError(
                f"a warp of shape {self.b_from_a.shape} with a certainty of shape "
                f"{self.certainty.shape}: expected H×W×2 and H×W"
            )


class DenseMatcher(Protocol):
    """Finds where every point of a photo is in another.  The class also declares a frozen
    dataclass ``Conf`` and its terms, ``licence``, and is made by ``cls(conf, device=...)``.

    identity  what makes the warp, for the result: at least ``name``, and ``weights`` (a SHA-256)
    """

    identity: dict[str, Any]

    def match(self, path_a: Path, path_b: Path) -> Warp: ...
