"""Views by image name: every image is read, decoded and encoded once, not once per pair."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..core.types import Features
from .base import View

CAPACITY = 1 << 30  # bytes


class Views:
    """An LRU cache of views: their features and whatever matchers computed of them, up to
    ``capacity`` bytes in memory, on whatever device.  May be called by several threads.

    read       features by image name
    image_dir  the photos, for matchers that look at them
    """

    def __init__(
        self,
        read: Callable[[str], Features],
        image_dir: Path | str | None = None,
        *,
        capacity: int = CAPACITY,
    ) -> None:
        self._read, self._image_dir, self._capacity = read, image_dir, capacity
        self._views: OrderedDict[str, View] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._total = 0
        self._used: set[str] = set()  # since a view was last added
        self._lock = threading.Lock()

    def __call__(self, name: str) -> View:
        """The view of an image, read unless it is in memory."""
        with self._lock:
            return self._view(name)

    def _view(self, name: str) -> View:
        self._used.add(name)
        if name in self._views:
            self._views.move_to_end(name)
            return self._views[name]
        # What was computed of the views that were used since is known by now.
        for used in self._used & self._views.keys():
            self._measure(used)
        self._used = {name}
        path = None if self._image_dir is None else Path(self._image_dir, name)
        self._views[name] = View(name, self._read(name), path)
        self._measure(name)
        while self._total > self._capacity and len(self._views) > 2:
            dropped, _ = self._views.popitem(last=False)
            self._total -= self._sizes.pop(dropped)
        return self._views[name]

    def _measure(self, name: str) -> None:
        view = self._views[name]
        size = nbytes(view.features) + nbytes(view.computed)
        self._total += size - self._sizes.get(name, 0)
        self._sizes[name] = size


def nbytes(value: Any) -> int:
    """Bytes of the arrays, tensors and images in a value, however nested."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, Image.Image):
        return value.width * value.height * len(value.getbands())
    if is_dataclass(value):  # features, photos
        return sum(nbytes(getattr(value, f.name)) for f in fields(value))
    if isinstance(value, dict):  # to which another thread may add
        return sum(map(nbytes, list(value.values())))
    if isinstance(value, (list, tuple)):
        return sum(map(nbytes, value))
    return getattr(value, "nbytes", 0)
