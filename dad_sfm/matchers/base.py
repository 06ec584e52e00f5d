"""What a matcher is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..core.types import Features, Matches


@dataclass(frozen=True)
class View:
    """One image of a pair, as a matcher sees it.

    features    as in the feature file: pixel-index frame of the original image
    image_path  the photo; None unless the matcher ``needs_images``
    """

    name: str
    features: Features
    image_path: Path | None = None


class Matcher(Protocol):
    """Finds which keypoints of two images show the same point of the scene.  The class also
    declares a frozen dataclass ``Conf`` and is made by ``cls(conf, device=...)``.

    needs_descriptors  whether the features must hold descriptors
    needs_images       whether it looks at the photos (a dense matcher)
    identity           what makes the matches, for the match file: at least ``name``, and
                       ``weights`` (a SHA-256) where there are any
    """

    needs_descriptors: bool
    needs_images: bool
    identity: dict[str, Any]

    def __call__(self, view0: View, view1: View) -> Matches:
        """Match the keypoints of one pair.  Either side may have none."""
        ...
