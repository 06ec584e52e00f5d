"""COLMAP models as plain data: cameras, poses and images by name.

Reading goes through pycolmap (text and binary models of any version).  Writing a text model needs
no pycolmap, so that rendered scenes can state their ground truth without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MODEL_FILES = ("cameras", "images", "points3D")


class ModelError(ValueError):
    """A folder does not hold a COLMAP model that can be used.  The message names the folder."""


@dataclass(frozen=True)
class Camera:
    """Intrinsics of a camera.

    model   COLMAP's name of the camera model, such as ``"PINHOLE"``
    params  in COLMAP's order for that model (PINHOLE: fx, fy, cx, cy), pixels, COLMAP frame
    """

    model: str
    width: int
    height: int
    params: tuple[float, ...]


@dataclass(frozen=True)
class PosedImage:
    """An image with a known pose.

    cam_from_world  3×4 float64, [R | t]: x_cam = R x_world + t
    """

    name: str
    camera_id: int
    cam_from_world: np.ndarray

    @property
    def rotation(self) -> np.ndarray:
        """3×3 rotation of cam_from_world; its last row is the optical axis in the world."""
        return self.cam_from_world[:, :3]

    @property
    def center(self) -> np.ndarray:
        """Camera centre in the world, (3,)."""
        return -self.cam_from_world[:, :3].T @ self.cam_from_world[:, 3]


@dataclass(frozen=True)
class CameraModel:
    """The cameras by id and the posed (registered) images by name of one COLMAP model."""

    cameras: dict[int, Camera]
    images: dict[str, PosedImage]

    def camera_of(self, name: str) -> Camera:
        return self.cameras[self.images[name].camera_id]


def is_model(folder: Path | str) -> bool:
    """Whether a folder holds a COLMAP model, text or binary."""
    root = Path(folder)
    return any(all((root / f"{f}{end}").is_file() for f in MODEL_FILES) for end in (".bin", ".txt"))


def read_model(folder: Path | str) -> CameraModel:
    """Read the registered images of a model.

    Raises `FileNotFoundError` when there is none, `ModelError` when it cannot be parsed.
    """
    import pycolmap

    root = Path(folder)
    if not is_model(root):
        raise FileNotFoundError(
            f"no COLMAP model in {root} (it needs {', '.join(MODEL_FILES)} as .bin or .txt)"
        )
    try:
        found = pycolmap.Reconstruction(str(root))
    except (RuntimeError, ValueError, IndexError) as error:
        raise ModelError(f"{root}: not a COLMAP model that can be read ({error})") from error
    return from_pycolmap(found)


def from_pycolmap(reconstruction: object) -> CameraModel:
    """The plain data of a ``pycolmap.Reconstruction``."""
    cameras = {
        int(i): Camera(c.model.name, int(c.width), int(c.height), tuple(map(float, c.params)))
        for i, c in reconstruction.cameras.items()  # type: ignore[attr-defined]
    }
    images = {
        image.name: PosedImage(image.name, int(image.camera_id), image.cam_from_world().matrix())
        for _, image in sorted(reconstruction.images.items())  # type: ignore[attr-defined]
        if image.has_pose
    }
    return CameraModel(cameras, images)


def write_text_model(
    folder: Path | str, cameras: Mapping[int, Camera], images: Iterable[PosedImage]
) -> Path:
    """Write a COLMAP text model without points; returns the folder.

    Images get the ids 1, 2, ... in the given order.  Raises `ModelError` on names with blanks,
    which COLMAP's text format cannot hold, and on images whose camera is not given.
    """
    root = Path(folder)
    lines = []
    for index, image in enumerate(images, start=1):
        if image.camera_id not in cameras:
            raise ModelError(f"{root}: image {image.name!r} has no camera {image.camera_id}")
        if not image.name or any(c.isspace() for c in image.name):
            raise ModelError(f"{root}: a text model cannot hold the image name {image.name!r}")
        pose = [*quaternion(image.rotation), *image.cam_from_world[:, 3]]
        lines.append(f"{index} {_numbers(pose)} {image.camera_id} {image.name}\n\n")
    root.mkdir(parents=True, exist_ok=True)
    (root / "images.txt").write_text("".join(lines), encoding="utf-8")
    (root / "cameras.txt").write_text(
        "".join(
            f"{i} {c.model} {c.width} {c.height} {_numbers(c.params)}\n"
            for i, c in sorted(cameras.items())
        ),
        encoding="utf-8",
    )
    (root / "points3D.txt").write_text("", encoding="utf-8")
    return root


def _numbers(values: Iterable[float]) -> str:
    # repr of a Python float is the shortest text that reads back as the same number.
    return " ".join(repr(float(v)) for v in values)


def quaternion(rotation: np.ndarray) -> np.ndarray:
    """Unit quaternion (w, x, y, z), w >= 0, of a 3×3 rotation.

    The eigenvector of the largest eigenvalue of a symmetric 4×4 matrix (Bar-Itzhack 2000): no
    case distinctions, and exact to rounding for every rotation.
    """
    (a, b, c), (d, e, f), (g, h, i) = np.asarray(rotation, dtype=np.float64)
    K = np.array(
        [
            [a + e + i, h - f, c - g, d - b],
            [h - f, a - e - i, b + d, c + g],
            [c - g, b + d, e - a - i, f + h],
            [d - b, c + g, f + h, i - a - e],
        ]
    )
    q = np.linalg.eigh(K)[1][:, -1]
    return q if q[0] >= 0 else -q


def read_coloured_points(folder: Path | str) -> tuple[CameraModel, np.ndarray, np.ndarray]:
    """A model with its points: N×3 positions in its frame, N×3 colours in [0, 255]."""
    import pycolmap

    model = pycolmap.Reconstruction(str(folder))
    points = [model.points3D[i] for i in sorted(model.points3D)]
    xyz = np.array([p.xyz for p in points]).reshape(-1, 3)
    colours = np.array([p.color for p in points], dtype=int).reshape(-1, 3)
    return from_pycolmap(model), xyz, colours
