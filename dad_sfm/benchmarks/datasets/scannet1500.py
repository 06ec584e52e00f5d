"""ScanNet1500: 1500 pairs of frames of 100 indoor scenes, essential and fundamental matrix.

The pairs are those of Sarlin et al., "SuperGlue", CVPR 2020; frames, depth and poses of Dai et
al., "ScanNet", CVPR 2017.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from ...evaluation.pose_task import MEASURED_DEPTH, PosePair, PoseProtocol, PoseTask
from ...evaluation.subsets import evenly
from ...geometry import pixel_frames
from ...geometry.cameras import Camera
from ...io.image_header import read_header
from ...io.npz_archive import ArchiveError, read_npz
from .base import DataError, Dataset, Source, require

logger = logging.getLogger(__name__)

NAME = "scannet1500"
PAIRS, INTRINSICS, SCANS = "test.npz", "intrinsics.npz", "scans_test"
LICENCE = "ScanNet: its terms of use, for non-commercial research, to be signed"
FRAME_SIZE = (1296, 968)  # of ScanNet's colour frames
INTRINSICS_SIZE = (640, 480)  # of the frames that the file of intrinsics is for


def load(source: Source) -> Dataset:
    """The 1500 pairs; frames of any size, with a warning where not ScanNet's own.

    Raises `DataError`.
    """
    require(NAME, source.data, [PAIRS, INTRINSICS])
    root = source.data / SCANS if (source.data / SCANS).is_dir() else source.data
    pairs = evenly(_read_pairs(source.data / PAIRS), source.limit)
    frames = sorted({frame for a, b, _ in pairs for frame in (a, b)})
    require(NAME, root, [_photo(frame) for frame in frames])
    K = _read_intrinsics(source.data / INTRINSICS, {scene for scene, _ in frames})
    sizes = {frame: read_header(root / _photo(frame)).size for frame in frames}
    _warn_of_sizes(set(sizes.values()))
    found = [
        PosePair(
            _photo(a),
            _photo(b),
            (camera(K[a[0]], sizes[a]), camera(K[b[0]], sizes[b])),
            b_from_a,
            (_depth(root, a), _depth(root, b)),
            MEASURED_DEPTH,
        )
        for a, b, b_from_a in pairs
    ]
    return Dataset(root, (PoseTask(found, PoseProtocol(), NAME),), LICENCE)


def camera(K: np.ndarray, size: tuple[int, int]) -> Camera:
    """The camera of a frame of ``size`` (W, H) from a 3×3 K for `INTRINSICS_SIZE`.

    The published K is that of the full frame with both rows scaled, so it goes back that way
    first; the full frame's principal point is in the pixel-index frame.
    """
    to_frame = np.array(FRAME_SIZE) / INTRINSICS_SIZE
    shrunk = np.array(size) / FRAME_SIZE
    focal = K[[0, 1], [0, 1]] * to_frame * shrunk
    center = pixel_frames.colmap_from_px(K[:2, 2] * to_frame) * shrunk
    return Camera("PINHOLE", *size, tuple(map(float, (*focal, *center))))


_Frame = tuple[str, int]  # scene, number


def _photo(frame: _Frame) -> str:
    return f"{frame[0]}/color/{frame[1]}.jpg"


def _depth(root: Path, frame: _Frame) -> Path:
    return root / frame[0] / "depth" / f"{frame[1]}.png"


def _read_pairs(path: Path) -> list[tuple[_Frame, _Frame, np.ndarray]]:
    """Frames of each pair and the 3×4 pose of the second in the first's frame, metres."""
    try:
        index = read_npz(path, {"name", "rel_pose"})
        names = np.asarray(index["name"], int).reshape(-1, 4)
        poses = np.asarray(index["rel_pose"], float).reshape(-1, 3, 4)
    except ValueError as error:
        raise DataError(f"{path}: not the list of pairs of {NAME} ({error})") from error
    if len(names) != len(poses):
        raise DataError(f"{path}: has {len(names)} pairs, but {len(poses)} poses")
    return [
        ((scene, int(a)), (scene, int(b)), pose)
        for (place, scan, a, b), pose in zip(names, poses, strict=True)
        for scene in [f"scene{place:04d}_{scan:02d}"]
    ]


def _read_intrinsics(path: Path, scenes: set[str]) -> dict[str, np.ndarray]:
    try:
        found = read_npz(path, scenes)
        return {scene: np.asarray(K, float).reshape(3, 3) for scene, K in found.items()}
    except (ArchiveError, ValueError) as error:
        raise DataError(f"{path}: not the intrinsics of {NAME} ({error})") from error


def _warn_of_sizes(sizes: set[tuple[int, int]]) -> None:
    others = sorted(sizes - {FRAME_SIZE})
    if others:
        W, H = FRAME_SIZE
        logger.warning(
            "%s: frames of %s pixels, not ScanNet's %d×%d; thresholds are in pixels, so that "
            "figures are not comparable with published ones",
            NAME,
            ", ".join(f"{w}×{h}" for w, h in others),
            W,
            H,
        )
