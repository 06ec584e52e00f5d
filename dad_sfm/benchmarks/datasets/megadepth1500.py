"""MegaDepth1500: 1500 pairs of two phototourism scenes, essential and fundamental matrix.

Sun et al., "LoFTR: Detector-Free Local Feature Matching with Transformers", CVPR 2021; depth and
poses of Li and Snavely, "MegaDepth", CVPR 2018.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...evaluation.estimation import pinhole
from ...evaluation.pose_task import MEASURED_DEPTH, PosePair, PoseProtocol, PoseTask
from ...evaluation.subsets import evenly
from ...io.image_header import read_header
from ...io.npz_archive import read_npz
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
MEGADEPTH = "phoenix/S6/zl548/MegaDepth_v1"  # the tree of the release, with the depth maps
_KEYS = {"image_paths", "intrinsics", "poses", "pair_infos"}


def load(source: Source) -> Dataset:
    """The pairs of the five indices.  Raises `DataError`."""
    return load_indices(source, NAME, INDICES, LICENCE)


def load_indices(source: Source, name: str, indices: Sequence[str], licence: str) -> Dataset:
    """The pairs of indices in LoFTR's format, ``DATA/*.npz``, with the images under ``DATA``.

    Depth maps are needed by the linker ``truth`` alone, and so are not looked for here.
    Intrinsics are in the COLMAP frame, since they come from COLMAP.  Raises `DataError`.
    """
    require(name, source.data, indices)
    entries = [entry for index in indices for entry in _read_index(source.data / index)]
    entries = [
        (_where_it_is(source.data, a), _where_it_is(source.data, b))
        for a, b in evenly(entries, source.limit)
    ]
    images = sorted({view.name for entry in entries for view in entry})
    require(name, source.data, images)
    sizes = {image: read_header(source.data / image).size for image in images}
    pairs = [
        PosePair(
            a.name,
            b.name,
            (pinhole(a.K, sizes[a.name]), pinhole(b.K, sizes[b.name])),
            b.cam_from_world[:3] @ np.linalg.inv(a.cam_from_world),
            (source.data / a.depth, source.data / b.depth),
            MEASURED_DEPTH,
        )
        for a, b in entries
    ]
    return Dataset(source.data, (PoseTask(pairs, PoseProtocol(), name),), licence)


@dataclass(frozen=True)
class _View:
    """K 3×3; cam_from_world 4×4; name and depth are paths relative to the data, depth empty where
    the index names none."""

    name: str
    K: np.ndarray
    cam_from_world: np.ndarray
    depth: str


def _view(image: str, K: Any, pose: Any, depth: str | None) -> _View:
    return _View(str(image), np.asarray(K, float), np.asarray(pose, float), depth or "")


def _where_it_is(root: Path, view: _View) -> _View:
    """The view with its depth map, and with its photo in the release where there is no folder of
    D2-Net's photos, ``Undistorted_SfM/<scene>/images``: those cannot be had any more."""
    image = Path(view.name)
    depth = view.depth or _depth_in_release(root, image)
    if (root / image.parts[0]).is_dir() or not (root / MEGADEPTH).is_dir():
        return replace(view, depth=depth)
    photo = Path(depth).parents[1] / "imgs" / image.name
    return replace(view, name=photo.as_posix(), depth=depth)


def _depth_in_release(root: Path, image: Path) -> str:
    """The release has a folder for each part of a scene: dense0, dense1, ..."""
    scene, file = f"{MEGADEPTH}/{image.parent.parent.name}", f"depths/{image.stem}.h5"
    found = sorted((root / scene).glob(f"dense*/{file}"))
    return found[0].relative_to(root).as_posix() if found else f"{scene}/dense0/{file}"


def _read_index(path: Path) -> list[tuple[_View, _View]]:
    try:
        index = read_npz(path, _KEYS, ["depth_paths"])
        depths = index.get("depth_paths", [""] * len(index["image_paths"]))
        columns = (index["image_paths"], index["intrinsics"], index["poses"], depths)
        views = [None if row[0] is None else _view(*row) for row in zip(*columns, strict=True)]
        pairs = [(views[int(info[0][0])], views[int(info[0][1])]) for info in index["pair_infos"]]
    except (ValueError, TypeError, IndexError) as error:
        raise DataError(f"{path}: not an index in LoFTR's format ({error})") from error
    if any(a is None or b is None for a, b in pairs):
        raise DataError(f"{path}: a pair names an image that the index does not describe")
    return [(a, b) for a, b in pairs if a is not None and b is not None]
