"""Feature files: hloc's schema, and a superset that hloc reads."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np

from ...core.types import Features
from ..image_header import read_header
from .entry import Entry, as_bytes
from .errors import StoreError
from .layers import OpenFile
from .names import parents
from .reader import Reader, as_text
from .writer import Writer

_OPTIONAL = {"scales": (), "oris": (), "covariances": (2, 2)}  # of some detectors; per point
_MAX_SIDE = 1 << 24  # px of an image
# hloc's SuperPoint and D2-Net write `scores`, its DISK and ALIKED `keypoint_scores`.
_SCORES = ("scores", "keypoint_scores")


class FeatureWriter(Writer):
    """Writes a feature file, or resumes one made by the same configuration."""

    def __contains__(self, name: str) -> bool:
        return self._opened.has(name, "keypoints")

    @property
    def image_dir(self) -> str | None:
        """The image folder that was recorded, None in a new file."""
        return as_text(self._opened.root.get("image_dir"))

    def write_image_dir(self, folder: str) -> None:
        """Record the image folder that the names are relative to."""
        self.note("image_dir", folder)

    def names(self) -> list[str]:
        """Names of the images in the file, sorted."""
        return sorted(self._opened.keys("keypoints"))

    def source(self, name: str) -> str | None:
        """The identity of the photo that an image's features were made from, None if unknown."""
        return _source(self._opened, name)

    def remove(self, name: str) -> None:
        """Take an image out of the file, if it is there."""
        if name in self:
            self._remove(name)

    def write(
        self, name: str, features: Features, *, as_half: bool = True, source: str | None = None
    ) -> None:
        """Write one image, in place of an earlier entry.

        as_half  store descriptors (only those) as float16
        source   the identity of the photo, see `dad_sfm.io.photo_identity`
        """
        if self._opened.is_folder(name) and name not in self:
            raise StoreError(f"{self.path}: {name!r} is a folder of other images, not an image")
        for folder in parents(name):
            if folder in self:
                raise StoreError(f"{self.path}: {folder!r} is an image, not a folder of {name!r}")
        arrays: dict[str, np.ndarray] = {
            "keypoints": features.keypoints_px.astype(np.float32),
            "scores": features.scores.astype(np.float32),
            "image_size": np.asarray(features.image_size, dtype=np.int64),
        }
        if features.descriptors is not None:
            kind = np.float16 if as_half else np.float32
            arrays["descriptors"] = features.descriptors.T.astype(kind)
        for key in _OPTIONAL:
            if (values := getattr(features, key)) is not None:
                arrays[key] = values.astype(np.float32)
        attrs: dict[str, Any] = {"uncertainty": float(features.uncertainty_px)}
        if source is not None:
            attrs["source"] = source
        self._write(name, Entry(arrays, {"keypoints": attrs}))


class FeatureReader(Reader):
    """Reads any feature file of hloc's schema, ours or another tool's.

    photos  the image folder, for the sizes of images that a file of another tool does not hold
    """

    def __init__(self, path: Path | str, *, photos: Path | str | None = None) -> None:
        super().__init__(path)
        self._photos = None if photos is None else Path(photos)

    def names(self) -> list[str]:
        """Names of the images in the file, sorted."""
        return sorted(self._file.keys("keypoints"))

    def __contains__(self, name: str) -> bool:
        return self._file.has(name, "keypoints")

    def has_descriptors(self, name: str) -> bool:
        """Whether an image has descriptors; one without keypoints lacks nothing."""
        return self._file.has(name, "descriptors") or self._count(name) == 0

    def descriptor_dim(self, name: str) -> int | None:
        """Return the dimension of an image's descriptors; None without descriptors or keypoints.

        Reads no data.  Raises `StoreError` when they are not one column per keypoint.
        """
        count = self._count(name)
        if count == 0 or not self._file.has(name, "descriptors"):
            return None
        shape = self._file.shape(name, "descriptors")
        if len(shape) != 2 or shape[1] != count:
            raise StoreError(
                f"{self.path}: {name!r} has {count} keypoints, but descriptors of shape {shape}; "
                f"expected D×{count}"
            )
        return shape[0]

    @property
    def image_dir(self) -> str | None:
        """The image folder that was recorded; None in a file of another tool."""
        return as_text(self._file.root.get("image_dir"))

    def source(self, name: str) -> str | None:
        """The identity of the photo that an image's features were made from, None if unknown."""
        return _source(self._file, name)

    def fingerprint(self, name: str) -> str:
        """A digest of an image's keypoints and descriptors, where there is no `source`."""
        digest = hashlib.sha256()
        for array in ("keypoints", "descriptors"):
            if self._file.has(name, array):
                digest.update(as_bytes(self._file.read(name, array)))
        return f"features:{digest.hexdigest()}"

    def read(self, name: str, *, descriptors: bool = True) -> Features:
        """Read one image.  Raises `StoreError` naming what is not there or does not fit."""
        if name not in self:
            raise StoreError(f"{self.path}: no features of image {name!r}")
        points = self._file.read(name, "keypoints")
        if points.size and (points.ndim != 2 or points.shape[1] != 2):
            raise StoreError(
                f"{self.path}: {name!r} has keypoints of shape {points.shape}; expected N×2"
            )
        points = points.astype(np.float32).reshape(-1, 2)
        key = next((k for k in _SCORES if self._file.has(name, k)), None)
        return Features(
            points,
            self._read_column(name, key, count=len(points)) if key else np.ones(len(points), "f4"),
            self._read_size(name),
            descriptors=self._read_descriptors(name, len(points)) if descriptors else None,
            uncertainty_px=self._read_uncertainty(name),
            **{k: self._read_optional(name, k, len(points)) for k in _OPTIONAL},
        )

    def _count(self, name: str) -> int:
        shape = self._file.shape(name, "keypoints")
        return shape[0] if shape else 0

    def _read_size(self, name: str) -> tuple[int, int]:
        if not self._file.has(name, "image_size"):
            if self._photos is None:
                raise StoreError(
                    f"{self.path}: {name!r} has no image_size; say where the photos are (image_dir)"
                )
            return read_header(self._photos / name).size
        found = self._file.read(name, "image_size")
        if found.shape != (2,) or not ((found > 0) & (found < _MAX_SIDE)).all():
            raise StoreError(f"{self.path}: {name!r} has an image_size that is not width, height")
        return int(found[0]), int(found[1])

    def _read_descriptors(self, name: str, count: int) -> np.ndarray | None:
        if not self._file.has(name, "descriptors"):
            return None
        found = self._file.read(name, "descriptors")
        if found.ndim != 2 or found.shape[1] != count:
            raise StoreError(
                f"{self.path}: {name!r} has {count} keypoints, but descriptors of shape "
                f"{found.shape}; expected D×{count}"
            )
        return found.T

    def _read_optional(self, name: str, key: str, count: int) -> np.ndarray | None:
        if not self._file.has(name, key):
            return None
        found, expected = self._file.read(name, key), (count, *_OPTIONAL[key])
        if found.shape != expected:
            raise StoreError(
                f"{self.path}: {key} of {name!r} have shape {found.shape}; expected {expected}"
            )
        return found.astype(np.float32)

    def _read_uncertainty(self, name: str) -> float:
        found = self._file.attrs(name, "keypoints").get("uncertainty", 1.0)
        try:
            value = float(found)
        except (TypeError, ValueError):
            value = math.nan
        if not (math.isfinite(value) and value > 0):
            raise StoreError(f"{self.path}: {name!r} has an uncertainty that is not a number > 0")
        return value


def _source(file: OpenFile, name: str) -> str | None:
    if not file.has(name, "keypoints"):
        return None
    return as_text(file.attrs(name, "keypoints").get("source"))
