"""What a matcher is, and what it sees of an image."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from PIL import Image

from ..core.types import Features, Matches
from ..geometry import pixel_frames
from ..io.photos import UprightPhoto, read_photo

T = TypeVar("T")


class MissingPackageError(ImportError):
    """The package that a matcher stands on is not installed.  The message says how to get it."""


@dataclass(frozen=True)
class View:
    """One image, as a matcher sees it; the same object in all pairs of the image, as long as it
    stays in memory (see `views.Views`).

    features    as in the feature file: pixel-index frame of the original image
    image_path  the photo; None unless the matcher ``needs_images``
    """

    name: str
    features: Features
    image_path: Path | None = None
    computed: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    _lock: Any = field(default_factory=threading.RLock, repr=False, compare=False)

    def once(self, key: str, compute: Callable[[], T]) -> T:
        """Return what ``compute`` gave the first time: for what depends on one image only.

        A matcher keeps one kind of value under a key.  Of several threads that ask, one computes
        and the others wait.
        """
        with self._lock:
            if key not in self.computed:
                self.computed[key] = compute()
            return self.computed[key]

    @property
    def photo(self) -> Image.Image:
        """The photo in RGB, turned upright by its EXIF tag, decoded once.  Raises `ImageError`."""
        return self._upright.image

    @property
    def upright_features(self) -> Features:
        """The features in the frame of `photo`: points and size; in the same order."""
        return self.once("upright features", self._turned)

    def _turned(self) -> Features:
        orientation, found = self._upright.orientation, self.features
        W, H = found.image_size
        points = pixel_frames.upright_from_stored_px(
            found.keypoints_px, orientation=orientation, size=(W, H)
        )
        size = (H, W) if orientation >= 5 else (W, H)
        return replace(found, keypoints_px=points, image_size=size)

    @property
    def _upright(self) -> UprightPhoto:
        path = self.image_path
        if path is None:
            raise ValueError(f"{self.name}: this matcher looks at the photo; give image_dir")
        return self.once("photo", lambda: read_photo(path, alpha=False))


@dataclass(frozen=True)
class Requirements:
    """Which features a matcher takes.

    descriptors  names of the descriptors it was made for (`Features` files tell theirs); None:
                 any, compared by their angle
    dim          their dimension, where it is fixed
    frames       whether it needs scales and orientations
    """

    descriptors: tuple[str, ...] | None = None
    dim: int | None = None
    frames: bool = False


class Matcher(Protocol):
    """Finds which keypoints of two images show the same point of the scene.  The class also
    declares a frozen dataclass ``Conf`` and is made by ``cls(conf, device=...)``; it may declare
    its terms, ``licence``, and a static method ``requirements(conf)`` that returns `Requirements`.
    On a CPU it is called by several threads at a time.

    needs_descriptors  whether the features must hold descriptors
    needs_images       whether it looks at the photos
    identity           what makes the matches, for the match file: at least ``name``, and
                       ``weights`` (a SHA-256) where there are any
    """

    needs_descriptors: bool
    needs_images: bool
    identity: dict[str, Any]

    def __call__(self, view0: View, view1: View) -> Matches:
        """Match the keypoints of one pair.  Either side may have none.  May be called by several
        threads at a time."""
        ...


def requirements(matcher: type[Matcher], conf: Any) -> Requirements:
    """Which features a matcher of this class and configuration takes."""
    declared: Callable[[Any], Requirements] | None = getattr(matcher, "requirements", None)
    return Requirements() if declared is None else declared(conf)
