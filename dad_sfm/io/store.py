"""The only HDF5 reader and writer of the package.

Feature files (hloc's schema, and a superset that hloc reads), a group per image named by its
path relative to the image root:

=============  =======================  =====================================================
``keypoints``  N×2 float32 always       pixel-index frame of the original image; attribute
                                        ``uncertainty`` in pixels of the original image
``scores``     N float32, descending
``descriptors`` D×N float16 or float32  absent when there are none
``image_size`` (W, H) int               of the original image
``scales``     N float32                absent unless the detector measures them
``oris``       N float32                likewise, in degrees
``covariances`` N×2×2 float32           likewise, in pixels² of the original image
=============  =======================  =====================================================

Match files, a group ``name0/name1`` per pair with every ``/`` inside a name written as ``-``:
``matches0`` N0 int32 (-1 = none) and ``matching_scores0`` N0 float16.

``keypoints`` has the attribute ``source``, the identity of the photo that was looked at, and
``matches0`` the attribute ``sources``, those of its two images: a photo replaced under its old
name is another photo.

The root's attributes hold the format version, what made the file, the image folder, and which
images the latest run could not use.  A group is written under a temporary name and renamed when
it is whole, so a group that exists is complete: what a killed run leaves behind is swept away when
the file is next opened for writing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
from typing_extensions import Self

from ..core.types import Features, Matches
from .image_header import read_header

FORMAT_VERSION = 1
_OPTIONAL = ("scales", "oris", "covariances")  # data sets of some detectors' features
_PARTIAL = "__partial__"  # holds the group that is being written


class StoreError(ValueError):
    """A feature or match file cannot be used as asked.  The message names file and entry."""


# --------------------------------------------------------------------------------- names
def pair_key(name0: str, name1: str) -> str:
    """hloc's group name of a pair."""
    return "/".join((name0.replace("/", "-"), name1.replace("/", "-")))


def check_pair_keys(pairs: Iterable[tuple[str, str]], *, directed: bool = False) -> None:
    """Raises `StoreError` when one match file cannot hold all these pairs, because hloc's group
    names of two of them are equal, in either direction unless ``directed``.  Asked before hours of
    matching."""
    owners: dict[Hashable, tuple[str, str]] = {}
    for name0, name1 in pairs:
        names = tuple(name.replace("/", "-") for name in (name0, name1))
        key: Hashable = names if directed else frozenset(names)
        other = owners.setdefault(key, (name0, name1))
        same = other == (name0, name1) if directed else set(other) == {name0, name1}
        if not same or (not directed and names[0] == names[1]):
            raise StoreError(_collision((name0, name1), other))


def _collision(pair: tuple[str, ...], other: tuple[str, ...]) -> str:
    names = ", ".join(map(repr, dict.fromkeys((*pair, *other))))
    return (
        f"a match file cannot tell the images {names} apart, because hloc writes '/' as '-' in it; "
        "rename them"
    )


def _open(path: Path, mode: str) -> h5py.File:
    if mode == "r" and not path.is_file():
        raise FileNotFoundError(f"no such file: {path}")
    try:
        # Newer formats mark a file as open: HDF5 refuses it for good after a killed run.
        return h5py.File(path, mode, libver=("v108", "latest"))
    except OSError as error:
        if "lock" in str(error):
            hint = "another process has it open; on NFS set HDF5_USE_FILE_LOCKING=FALSE"
        else:
            hint = "it is damaged or not HDF5; delete it and run the step again"
        raise StoreError(f"{path}: cannot be opened ({hint}): {error}") from error


def read_arrays(path: Path | str, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Data sets of any HDF5 file, such as the calibrations of a public collection.

    Raises `FileNotFoundError`, and `StoreError` that names what the file lacks.
    """
    with _open(Path(path), "r") as file:
        missing = [name for name in names if not isinstance(file.get(name), h5py.Dataset)]
        if missing:
            raise StoreError(f"{path}: lacks {', '.join(missing)}")
        return {name: np.asarray(file[name]) for name in names}


# --------------------------------------------------------------------------------- writing
class _Writer:
    """An HDF5 file that grows by whole groups, all made by one configuration."""

    def __init__(self, path: Path | str, provenance: dict[str, Any], *, overwrite: bool = False):
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = _open(self.path, "w" if overwrite else "a")
        try:
            self._claim(json.dumps(provenance, sort_keys=True, ensure_ascii=False))
        except StoreError:
            self._file.close()
            raise

    def _claim(self, provenance: str) -> None:
        if _PARTIAL in self._file:
            del self._file[_PARTIAL]
        found = self._file.attrs.get("provenance")
        if found is None and len(self._file):
            raise StoreError(
                f"{self.path} was not written by dad_sfm; give another path or overwrite it"
            )
        if found is not None and found != provenance:
            raise StoreError(
                f"{self.path} was made by another configuration; overwrite it or give another "
                f"path\n  in the file: {found}\n  asked for:   {provenance}"
            )
        self._file.attrs["format_version"] = FORMAT_VERSION
        self._file.attrs["provenance"] = provenance

    def _write(self, key: str, arrays: dict[str, np.ndarray], attrs: dict[str, Any]) -> None:
        """Write a whole group or none.  ``attrs`` go to the first array."""
        if _PARTIAL in self._file:
            del self._file[_PARTIAL]
        group = self._file.create_group(_PARTIAL)
        try:
            for name, array in arrays.items():
                group.create_dataset(name, data=array)
            for name, value in attrs.items():
                group[next(iter(arrays))].attrs[name] = value
            if key in self._file:
                del self._file[key]
            self._file.move(_PARTIAL, key)
            self._file.flush()
        except OSError as error:
            raise StoreError(
                f"{self.path}: {key} could not be written (disk full?): {error}"
            ) from error

    def _remove(self, key: str) -> None:
        if key in self._file:
            del self._file[key]
            self._file.flush()

    def write_failures(self, failures: Mapping[str, str]) -> None:
        """Record what could not be used (images, or pairs as ``"name0 name1"``) and why, in place
        of an earlier record."""
        self._file.attrs["failures"] = json.dumps(dict(failures), ensure_ascii=False)
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


class FeatureWriter(_Writer):
    """Writes a feature file, or goes on with one made by the same configuration.

    ``provenance`` is what made the file (configuration, identities of detector and descriptor,
    weight digests); a file with another one is refused with `StoreError`.
    """

    def __contains__(self, name: str) -> bool:
        return name in self._file and "keypoints" in self._file[name]

    @property
    def image_dir(self) -> str | None:
        """The image folder that was recorded, None in a new file."""
        return self._file.attrs.get("image_dir")

    def write_image_dir(self, folder: str) -> None:
        """Record the image folder that the names are relative to."""
        self._file.attrs["image_dir"] = folder
        self._file.flush()

    def names(self) -> list[str]:
        """Names of the images in the file, sorted."""
        return sorted(_groups_with(self._file, "keypoints"))

    def source(self, name: str) -> str | None:
        """The identity of the photo that an image's features were made from, None if unknown."""
        return _source(self._file, name)

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
        if name in self._file and "keypoints" not in self._file[name]:
            raise StoreError(f"{self.path}: {name!r} is a folder of other images, not an image")
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
        self._write(name, arrays, attrs)


class MatchWriter(_Writer):
    """Writes a match file, or goes on with one made by the same configuration and features."""

    def has(self, name0: str, name1: str) -> bool:
        """Whether the pair is in the file, in this order."""
        return _has_pair(self._file, self.path, name0, name1)

    def sources(self, name0: str, name1: str) -> tuple[str, str] | None:
        """The identities of the two photos that a pair was matched from, None if unknown."""
        if not self.has(name0, name1):
            return None
        found = self._file[pair_key(name0, name1)]["matches0"].attrs.get("sources")
        return None if found is None else (str(found[0]), str(found[1]))

    def remove(self, name0: str, name1: str) -> None:
        """Take a pair out of the file, if it is there in this order."""
        if self.has(name0, name1):
            self._remove(pair_key(name0, name1))

    def write(
        self,
        name0: str,
        name1: str,
        matches: Matches,
        *,
        sources: tuple[str, str] | None = None,
    ) -> None:
        """Write one pair, in place of an earlier entry of the same order.

        sources  the identities of the two photos, as `FeatureReader.source` gives them

        Raises `StoreError` when another pair has the same group name.
        """
        self.has(name0, name1)
        arrays: dict[str, np.ndarray] = {
            "matches0": matches.matches0.astype(np.int32),
            "matching_scores0": matches.scores0.astype(np.float16),
        }
        attrs: dict[str, Any] = {"names": [name0, name1]}
        if sources is not None:
            attrs["sources"] = list(sources)
        self._write(pair_key(name0, name1), arrays, attrs)


# --------------------------------------------------------------------------------- reading
class _Reader:
    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._file = _open(self.path, "r")

    @property
    def provenance(self) -> dict[str, Any]:
        """What made the file; empty for a file of another tool."""
        text = self._file.attrs.get("provenance")
        return json.loads(text) if text is not None else {}

    @property
    def failures(self) -> dict[str, str]:
        """What the latest run could not use (images, or pairs), with the reason."""
        return json.loads(self._file.attrs.get("failures", "{}"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


class FeatureReader(_Reader):
    """Reads any feature file of hloc's schema, ours or another tool's.

    photos  the image folder, for the sizes of images that a file of another tool does not hold
    """

    def __init__(self, path: Path | str, *, photos: Path | str | None = None) -> None:
        super().__init__(path)
        self._photos = None if photos is None else Path(photos)

    def names(self) -> list[str]:
        """Names of the images in the file, sorted."""
        return sorted(_groups_with(self._file, "keypoints"))

    def __contains__(self, name: str) -> bool:
        return name in self._file and "keypoints" in self._file[name]

    @property
    def image_dir(self) -> str | None:
        """The image folder that was recorded; None in a file of another tool."""
        return self._file.attrs.get("image_dir")

    def source(self, name: str) -> str | None:
        """The identity of the photo that an image's features were made from, None if unknown."""
        return _source(self._file, name)

    def fingerprint(self, name: str) -> str:
        """A digest of an image's keypoints and descriptors, where there is no `source`."""
        digest = hashlib.sha256()
        for key in ("keypoints", "descriptors"):
            if key in self._file[name]:
                digest.update(np.ascontiguousarray(self._file[name][key][()]).tobytes())
        return f"features:{digest.hexdigest()}"

    def has_descriptors(self, name: str) -> bool:
        """Whether an image has descriptors; one without keypoints lacks nothing."""
        group = self._file[name]
        return "descriptors" in group or len(group["keypoints"]) == 0

    def descriptor_dim(self, name: str) -> int | None:
        """Dimension of an image's descriptors; None without descriptors or without keypoints.

        Reads no data.  Raises `StoreError` when they are not one column per keypoint.
        """
        group = self._file[name]
        count = len(group["keypoints"])
        if "descriptors" not in group or count == 0:
            return None
        shape = group["descriptors"].shape
        if len(shape) != 2 or shape[1] != count:
            raise StoreError(
                f"{self.path}: {name!r} has {count} keypoints, but descriptors of shape {shape}; "
                f"expected D×{count}"
            )
        return shape[0]

    def read(self, name: str, *, descriptors: bool = True) -> Features:
        """Read one image.  Raises `StoreError` naming what is not there."""
        if name not in self:
            raise StoreError(f"{self.path}: no features of image {name!r}")
        group = self._file[name]
        points = group["keypoints"][()].astype(np.float32)
        # SuperPoint and D2-Net of hloc write `scores`, DISK and ALIKED `keypoint_scores`.
        key = next((k for k in ("scores", "keypoint_scores") if k in group), None)
        scores = group[key][()].astype(np.float32) if key else np.ones(len(points), np.float32)
        W, H = self._size(name)
        wanted = descriptors and "descriptors" in group
        return Features(
            points.reshape(-1, 2),
            scores,
            (W, H),
            descriptors=group["descriptors"][()].T if wanted else None,
            uncertainty_px=float(group["keypoints"].attrs.get("uncertainty", 1.0)),
            **{k: group[k][()].astype(np.float32) for k in _OPTIONAL if k in group},
        )

    def _size(self, name: str) -> tuple[int, int]:
        group = self._file[name]
        if "image_size" in group:
            W, H = (int(v) for v in group["image_size"][()])
            return W, H
        if self._photos is None:
            raise StoreError(
                f"{self.path}: {name!r} has no image_size; say where the photos are (image_dir)"
            )
        return read_header(self._photos / name).size


class MatchReader(_Reader):
    """Reads any match file of hloc's schema, in either order of the pair.

    A file of two feature files (``features_ref``) is read in the given order only: there, image 0
    is of the one and image 1 of the other file.
    """

    @property
    def directed(self) -> bool:
        """Whether the file was made from two feature files."""
        return bool(self.provenance.get("directed", False))

    def keys(self) -> list[str]:
        """The groups of the file, as `pair_key` names them."""
        return sorted(_groups_with(self._file, "matches0"))

    def has(self, name0: str, name1: str) -> bool:
        """Whether a pair is in the file, in an order in which it can be read."""
        orders = [(name0, name1)] if self.directed else [(name0, name1), (name1, name0)]
        return any(_has_pair(self._file, self.path, *names) for names in orders)

    def read(self, name0: str, name1: str) -> Matches:
        """Read one pair.  A pair stored the other way round is turned.

        Turning needs no count of keypoints: indices past the last match are simply not there.
        """
        if _has_pair(self._file, self.path, name0, name1):
            return self._read(pair_key(name0, name1))
        if not self.directed and _has_pair(self._file, self.path, name1, name0):
            return _turn(self._read(pair_key(name1, name0)))
        raise StoreError(f"{self.path}: no matches of the pair {name0} {name1}")

    def _read(self, key: str) -> Matches:
        group = self._file[key]
        matches0 = group["matches0"][()].astype(np.int32)
        if "matching_scores0" in group:
            scores0 = group["matching_scores0"][()].astype(np.float32)
        else:
            scores0 = (matches0 >= 0).astype(np.float32)
        return Matches(matches0, scores0)


def _source(file: h5py.File, name: str) -> str | None:
    if name not in file or "keypoints" not in file[name]:
        return None
    found = file[name]["keypoints"].attrs.get("source")
    return None if found is None else str(found)


def _has_pair(file: h5py.File, path: Path, name0: str, name1: str) -> bool:
    """Whether the pair is there.  Raises `StoreError` when another pair has its group's name."""
    key = pair_key(name0, name1)
    if key not in file or "matches0" not in file[key]:
        return False
    stored = tuple(file[key]["matches0"].attrs.get("names", (name0, name1)))
    if stored != (name0, name1):
        raise StoreError(f"{path}: {_collision((name0, name1), stored)}")
    return True


def _turn(matches: Matches) -> Matches:
    pairs = matches.indices
    n = int(pairs[:, 1].max()) + 1 if len(pairs) else 0
    turned, scores = np.full(n, -1, np.int32), np.zeros(n, np.float32)
    turned[pairs[:, 1]] = pairs[:, 0]
    scores[pairs[:, 1]] = matches.scores0[pairs[:, 0]]
    return Matches(turned, scores)


def _groups_with(root: h5py.Group, dataset: str, prefix: str = "") -> Iterator[str]:
    for key, item in root.items():
        if not isinstance(item, h5py.Group) or key == _PARTIAL:
            continue
        name = f"{prefix}{key}"
        if dataset in item and isinstance(item[dataset], h5py.Dataset):
            yield name
        else:
            yield from _groups_with(item, dataset, f"{name}/")
