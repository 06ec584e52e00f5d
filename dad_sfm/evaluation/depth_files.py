"""Depth maps as data sets keep them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ..io.store import StoreError, read_arrays
from .linking import NoTruthError

MILLIMETRES = 1000


def read_depth(path: Path, size: tuple[int, int]) -> np.ndarray:
    """H×W z-depth of an image of ``size`` (W, H); 0 = unknown.

    ``.npy``, ``.h5`` with a data set ``depth`` (Image Matching Challenge), or a 16-bit ``.png`` in
    millimetres (ScanNet), returned in metres.  A map of another size is brought to the image's,
    each pixel with the depth of the nearest.  Raises `NoTruthError` that names the file.
    """
    try:
        depth = _read(path)
    except FileNotFoundError:
        raise NoTruthError(
            f"no such depth map: {path}; the truth links keypoints by depth: get it, or use "
            "another linker"
        ) from None
    except (OSError, ValueError, SyntaxError, StoreError) as error:
        raise NoTruthError(f"{path}: not a depth map that can be read ({error})") from error
    if depth.ndim != 2:
        raise NoTruthError(f"{path}: not a depth map, but an array of shape {depth.shape}")
    if depth.shape != size[::-1]:
        depth = np.asarray(Image.fromarray(depth).resize(size, Image.Resampling.NEAREST))
    return depth


def _read(path: Path) -> np.ndarray:
    if path.suffix == ".h5":
        return read_arrays(path, ["depth"])["depth"].astype(np.float32)
    if path.suffix == ".png":
        with Image.open(path) as image:
            return np.asarray(image, np.float32) / MILLIMETRES
    return np.load(path, allow_pickle=False)
