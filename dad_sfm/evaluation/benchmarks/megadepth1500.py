"""MegaDepth1500: 1500 pairs of two phototourism scenes, essential and fundamental matrix.

Sun et al., "LoFTR: Detector-Free Local Feature Matching with Transformers", CVPR 2021; depth and
poses of Li and Snavely, "MegaDepth", CVPR 2018.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...cameras import read_header
from ...npz_archive import read_npz
from ..estimation import pinhole
from ..pose_task import PosePair, PoseProtocol, PoseTask
from ..subsets import evenly
from .base import DataError, Dataset, Source, require

NAME = "megadepth1500"
INDICES = (
    "0015_0.1_0.3.npz",
    "0015_0.3_0.5.npz",
    "0022_0.1_0.3.npz",
    "0022_0.3_0.5.npz",
    "0022_0.5_0.7.npz",
)
LICENCE = "MegaDepth: CC BY 4.0 for its data; the photos are their authors'"
_KEYS = {"image_paths", "intrinsics", "poses", "pair_infos"}


def load(source: Source) -> Dataset:
    """The pairs of the five indices.  Raises `DataError`."""
    return load_indices(source, NAME, INDICES, LICENCE)


def load_indices(source: Source, name: str, indices: Sequence[str], licence: str) -> Dataset:
    """The pairs of indices in LoFTR's format, ``DATA/*.npz``, with the images under ``DATA``.

    Intrinsics are in the COLMAP frame, since they come from COLMAP.  Raises `DataError`.
    """
    require(name, source.data, indices)
    entries = [entry for index in indices for entry in _read_index(source.data / index)]
    entries = evenly(entries, source.limit)
    images = sorted({view.name for entry in entries for view in entry})
    require(name, source.data, images)
    sizes = {image: read_header(source.data / image).size for image in images}
    pairs = [
        PosePair(
            a.name,
            b.name,
            (pinhole(a.K, sizes[a.name]), pinhole(b.K, sizes[b.name])),
            b.cam_from_world[:3] @ np.linalg.inv(a.cam_from_world),
        )
        for a, b in entries
    ]
    return Dataset(source.data, (PoseTask(pairs, PoseProtocol(), name),), licence)


@dataclass(frozen=True)
class _View:
    """K 3×3; cam_from_world 4×4."""

    name: str
    K: np.ndarray
    cam_from_world: np.ndarray


def _read_index(path: Path) -> list[tuple[_View, _View]]:
    try:
        index = read_npz(path, _KEYS)
        views = [
            None if image is None else _View(str(image), np.asarray(K, float), np.asarray(T, float))
            for image, K, T in zip(
                index["image_paths"], index["intrinsics"], index["poses"], strict=True
            )
        ]
        pairs = [(views[int(info[0][0])], views[int(info[0][1])]) for info in index["pair_infos"]]
    except (ValueError, TypeError, IndexError) as error:
        raise DataError(f"{path}: not an index in LoFTR's format ({error})") from error
    if any(a is None or b is None for a, b in pairs):
        raise DataError(f"{path}: a pair names an image that the index does not describe")
    return [(a, b) for a, b in pairs if a is not None and b is not None]
