"""The index of MegaDepth: which images there are, with which cameras, and which pairs overlap.

One file a scene in ``scene_info/``, in either of two forms: ``pair_infos`` of LoFTR, ((i, j),
overlap, ...) of each pair, or ``overlap_matrix`` of D2-Net, N×N, the share of image i that j sees,
-1 where it is not known.  Beside it stand ``image_paths``, ``depth_paths``, ``intrinsics`` and
``poses`` of N images (None where an image is missing).  A folder without ``scene_info`` may have
DISK's index instead; see `disk_index`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...io.npz_archive import ArchiveError, read_npz
from . import disk_index
from .indexed_scene import IndexedScene, MegaDepthError

KEYS = {"image_paths", "depth_paths", "intrinsics", "poses"}
_PAIR_KEYS = ("pair_infos", "overlap_matrix")


def read_index(root: Path | str) -> list[IndexedScene]:
    """All scenes of a MegaDepth folder.  Raises `MegaDepthError` naming what is not there."""
    if not Path(root).is_dir():
        raise MegaDepthError(f"no MegaDepth at {root}; see datasets/megadepth/README.md")
    files = sorted((Path(root) / "scene_info").glob("*.npz"))
    if not files and (index := Path(root) / disk_index.NAME).is_file():
        return disk_index.read_index(index)
    if not files:
        raise MegaDepthError(
            f"neither scene_info/*.npz nor {disk_index.NAME} in {root}; "
            "datasets/megadepth/README.md says where to get them"
        )
    return [_read_scene(Path(root), path) for path in files]


def _read_scene(root: Path, path: Path) -> IndexedScene:
    try:
        info = read_npz(path, KEYS, _PAIR_KEYS)
        pairs, overlaps = _pairs(path, info)
    except ArchiveError as error:
        raise MegaDepthError(f"{error}; see datasets/megadepth/README.md") from error
    return scene_of(root, path.stem, info, pairs, overlaps)


def scene_of(
    root: Path, name: str, info: dict[str, Any], pairs: np.ndarray, overlaps: np.ndarray
) -> IndexedScene:
    """The scene of the arrays of an index, with those of the pairs whose images are there."""
    named = list(zip(info["image_paths"], info["depth_paths"], strict=True))
    images = [_image_path(root, image, depth) for image, depth in named]
    depths = [root / depth if depth else None for _, depth in named]
    there = np.array([image is not None for image in images], bool)
    kept = there[pairs].all(axis=1)

    def camera(index: int) -> tuple[np.ndarray, np.ndarray]:
        K, pose = info["intrinsics"][index], info["poses"][index]
        return np.array(K, np.float64), np.array(pose, np.float64)[:3]

    return IndexedScene(name, images, depths, camera, pairs[kept], overlaps[kept])


def _image_path(root: Path, image: str | None, depth: str | None) -> Path | None:
    """The undistorted image that an index names, or the one beside the depth map: D2-Net's
    images (``Undistorted_SfM``) are not to be had any more, MegaDepth's own are nearly the same."""
    if not image or not depth:
        return None
    if (root / image.split("/")[0]).is_dir():
        return root / image
    return (root / depth).parents[1] / "imgs" / Path(image).name


def _pairs(path: Path, info: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (P×2 int32) and overlaps (P float32) of an index.  Raises `ArchiveError`."""
    if not info.keys() & set(_PAIR_KEYS):
        raise ArchiveError(f"{path}: lacks {' and '.join(_PAIR_KEYS)}")
    if "pair_infos" in info:
        pairs = np.array([pair[0] for pair in info["pair_infos"]])
        overlaps = np.array([pair[1] for pair in info["pair_infos"]])
    else:
        matrix = info["overlap_matrix"]
        mutual = np.triu(np.minimum(matrix, matrix.T), k=1)
        pairs = np.argwhere(mutual > 0)
        overlaps = mutual[tuple(pairs.T)]
    return pairs.astype(np.int32).reshape(-1, 2), overlaps.astype(np.float32)


def missing_files(root: Path | str) -> list[Path]:
    """All images and depth maps that pairs name and that are not there, sorted.

    Looks at every file of the index: minutes on a network disk.
    """
    wanted = {
        path
        for scene in read_index(root)
        for index in np.unique(scene.pairs)
        for path in scene.files(int(index))
    }
    return sorted(path for path in wanted if not path.is_file())
