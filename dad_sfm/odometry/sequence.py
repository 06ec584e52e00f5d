"""Sequences of frames of one calibrated camera, with true poses where there are any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ..colmap.model import read_model
from ..geometry.cameras import Camera
from ..io.colmap_text import is_model
from ..io.listing import list_images


class SequenceError(ValueError):
    """A sequence is not there, or not whole.  The message names the file."""


@dataclass(frozen=True)
class FrameSequence:
    """Frames in order.

    image_dir  the folder that names are relative to
    camera     PINHOLE
    truth      N×4×4 world_from_cam in metres; None where it is not known
    """

    image_dir: Path
    names: Sequence[str]
    camera: Camera
    truth: np.ndarray | None = None

    def first(self, most: int | None) -> FrameSequence:
        """At most so many frames."""
        truth = None if self.truth is None else self.truth[:most]
        return FrameSequence(self.image_dir, list(self.names)[:most], self.camera, truth)


def open_sequence(
    folder: Path, *, kitti_id: str | None = None, intrinsics: Sequence[float] | None = None
) -> FrameSequence:
    """A sequence of KITTI's layout where ``kitti_id`` is given, else a folder; see `read_kitti`
    and `read_folder`."""
    if kitti_id is not None:
        return read_kitti(folder, kitti_id)
    return read_folder(folder, intrinsics)


def read_kitti(root: Path, sequence: str) -> FrameSequence:
    """``ROOT/sequences/<id>/image_0/*`` and ``calib.txt``, and ``ROOT/poses/<id>.txt`` where it is.

    The left grey camera's; where there is only ``image_2``, the left colour camera's, whose poses
    are those of the same centre within centimetres.  Raises `SequenceError`.
    """
    folder = root / "sequences" / sequence
    images = next(
        (folder / name for name in ("image_0", "image_2") if (folder / name).is_dir()), None
    )
    if images is None:
        raise SequenceError(f"{folder} has neither image_0 nor image_2")
    names = list_images(images)
    calibration = folder / "calib.txt"
    if not calibration.is_file():
        raise SequenceError(f"no calibration: {calibration}")
    row = f"P{images.name[-1]}:"
    lines = calibration.read_text(encoding="utf-8").splitlines()
    P = next((line.split()[1:] for line in lines if line.startswith(row)), None)
    if P is None or len(P) != 12:
        raise SequenceError(f"{calibration}: no row {row} of 12 numbers")
    fx, cx, fy, cy = (float(P[i]) for i in (0, 2, 5, 6))
    poses = root / "poses" / f"{sequence}.txt"
    truth = read_poses(poses) if poses.is_file() else None
    if truth is not None and len(truth) < len(names):
        raise SequenceError(f"{poses} has {len(truth)} poses of {len(names)} frames")
    # KITTI counts from pixel centres, COLMAP from the corner of the image.
    camera = Camera("PINHOLE", *_size(images / names[0]), (fx, fy, cx + 0.5, cy + 0.5))
    return FrameSequence(images, names, camera, None if truth is None else truth[: len(names)])


def read_folder(folder: Path, intrinsics: Sequence[float] | None = None) -> FrameSequence:
    """Frames in order of their names, of a folder or its ``images``; ``FOLDER/gt``, a COLMAP model,
    is the truth where it is.

    intrinsics  fx, fy, cx, cy in pixels, COLMAP frame; without, those of the model
    Raises `SequenceError`.
    """
    images = folder / "images" if (folder / "images").is_dir() else folder
    names = list_images(images)
    if len(names) < 2:
        raise SequenceError(f"{images}: {len(names)} frames are no sequence")
    gt = read_model(folder / "gt") if is_model(folder / "gt") else None
    truth = None
    if gt is not None and all(name in gt.images for name in names):
        truth = np.stack([_inverse(gt.images[name].cam_from_world) for name in names])
    if intrinsics is not None:
        fx, fy, cx, cy = map(float, intrinsics)
        camera = Camera("PINHOLE", *_size(images / names[0]), (fx, fy, cx, cy))
    elif truth is not None and gt is not None:
        camera = gt.camera_of(names[0])
    else:
        raise SequenceError(f"{folder}: give the camera: --intrinsics FX FY CX CY (pixels)")
    if camera.model != "PINHOLE":
        raise SequenceError(f"{folder}: a {camera.model} camera; undistort the frames first")
    return FrameSequence(images, names, camera, truth)


def read_poses(path: Path) -> np.ndarray:
    """N×4×4 world_from_cam of a file of KITTI's format.  Raises `SequenceError`."""
    try:
        rows = np.loadtxt(path, ndmin=2)
    except ValueError as error:
        raise SequenceError(f"{path}: not a file of poses ({error})") from error
    if rows.shape[1] != 12:
        raise SequenceError(f"{path}: rows of {rows.shape[1]} numbers, not 12")
    poses = np.tile(np.eye(4), (len(rows), 1, 1))
    poses[:, :3] = rows.reshape(-1, 3, 4)
    return poses


def write_poses(path: Path, poses: np.ndarray) -> None:
    """Write N×4×4 world_from_cam in KITTI's format: 12 numbers a row."""
    np.savetxt(path, poses[:, :3].reshape(-1, 12), fmt="%.9e")


def _inverse(cam_from_world: np.ndarray) -> np.ndarray:
    return np.linalg.inv(np.vstack([cam_from_world, [0.0, 0, 0, 1]]))


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size
