"""The index of MegaDepth: which images there are, with which cameras, and which pairs overlap.

One file a scene in ``scene_info/``, in any of the three forms that are about:

============================  ====================================================
``pair_infos`` (LoFTR, DISK)  ((i, j), overlap, ...) of each pair
``pairs``, ``overlaps``       P×2 and P (RoMa, DeDoDe, DaD; a dict in an .npy file)
``overlap_matrix`` (D2-Net)   N×N, of i in j; -1 = not known
============================  ====================================================

beside ``image_paths``, ``depth_paths``, ``intrinsics`` and ``poses`` of N images (None where an
image is missing).  The files hold Python objects, so read none that you do not trust.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

_KEYS = ("image_paths", "depth_paths", "intrinsics", "poses")


class MegaDepthError(FileNotFoundError):
    """A part of MegaDepth is missing or unreadable.  The message names it."""


@dataclass(frozen=True)
class IndexedScene:
    """A scene of MegaDepth.

    images, depths  N paths, None where there is none
    intrinsics      N 3×3 arrays K, in COLMAP's pixel frame
    poses           N 4×4 or 3×4 arrays, cam_from_world
    pairs           P×2 int32, and their overlaps (P)
    """

    name: str
    images: list[Path | None]
    depths: list[Path | None]
    intrinsics: Any
    poses: Any
    pairs: np.ndarray
    overlaps: np.ndarray

    def files(self, index: int) -> tuple[Path, Path]:
        """Image and depth map of an image that pairs may name."""
        image, depth = self.images[index], self.depths[index]
        assert image is not None, index
        assert depth is not None, index
        return image, depth


def read_index(root: Path | str) -> list[IndexedScene]:
    """All scenes of a MegaDepth folder.  Raises `MegaDepthError` naming what is not there."""
    folder = Path(root) / "scene_info"
    if not Path(root).is_dir():
        raise MegaDepthError(f"no MegaDepth at {root}; see datasets/megadepth/README.md")
    files = sorted([*folder.glob("*.npz"), *folder.glob("*.npy")])
    if not files:
        raise MegaDepthError(
            f"no scene_info/*.npz in {root}; datasets/megadepth/README.md says where to get it"
        )
    return [_read_scene(Path(root), path) for path in files]


def _read_scene(root: Path, path: Path) -> IndexedScene:
    try:
        loaded = np.load(path, allow_pickle=True)
        info: Mapping[str, Any] = loaded if hasattr(loaded, "files") else loaded.item()
    except (OSError, ValueError, EOFError) as error:
        raise MegaDepthError(f"{path}: cannot be read ({error}); get it again") from error
    missing = [key for key in _KEYS if key not in info]
    if missing:
        raise MegaDepthError(f"{path}: no {', '.join(missing)} in it")
    images = [_image_path(root, *both) for both in zip(*map(info.get, _KEYS[:2]), strict=True)]
    depths = [root / name if name else None for name in info["depth_paths"]]
    pairs, overlaps = _pairs(info, path)
    there = np.array([bool(a and b) for a, b in zip(images, depths, strict=True)], bool)
    kept = there[pairs].all(axis=1)
    return IndexedScene(
        path.stem, images, depths, info["intrinsics"], info["poses"], pairs[kept], overlaps[kept]
    )


def _image_path(root: Path, image: str | None, depth: str | None) -> Path | None:
    """The undistorted image that an index names, or the one beside the depth map: D2-Net's
    images (``Undistorted_SfM``) are not to be had any more, MegaDepth's own are nearly the same."""
    if not image or not depth:
        return None
    if (root / image.split("/")[0]).is_dir():
        return root / image
    return (root / depth).parents[1] / "imgs" / Path(image).name


def _pairs(info: Mapping[str, Any], path: Path) -> tuple[np.ndarray, np.ndarray]:
    if "pair_infos" in info:
        listed = info["pair_infos"]
        pairs = np.array([pair[0] for pair in listed])
        overlaps = np.array([pair[1] for pair in listed])
    elif "pairs" in info and "overlaps" in info:
        pairs, overlaps = info["pairs"], info["overlaps"]
    elif "overlap_matrix" in info:
        matrix = np.asarray(info["overlap_matrix"], np.float32)
        mutual = np.triu(np.minimum(matrix, matrix.T), k=1)
        pairs = np.argwhere(mutual > 0)
        overlaps = mutual[tuple(pairs.T)]
    else:
        raise MegaDepthError(f"{path}: no pair_infos, pairs or overlap_matrix in it")
    return np.asarray(pairs, np.int32).reshape(-1, 2), np.asarray(overlaps, np.float32).ravel()


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
