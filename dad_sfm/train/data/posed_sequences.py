"""Data plug: sequences of any video or ordered folder with a COLMAP model.

``FOLDER/images/*`` in order of their names and ``FOLDER/gt`` or ``FOLDER/sparse/0``, the layout of
the benchmark of tracks and of ``dad-sfm odometry``.  Depth is that of ``FOLDER/depth``, or of the
points of the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image

from ...colmap.model import open_model, read_model
from ...core.config import ConfigError
from ...evaluation.depth_files import read_depth
from ...geometry.cameras import Camera
from ...geometry.pinhole import Pinhole
from ...io.colmap_text import is_model
from ...io.images import read_image, to_array
from .bounded_cache import BoundedCache
from .depth_pairs import Window
from .depth_sequences import DepthSequenceConf, DepthSequenceSource
from .megadepth_photos import Photo, partner_centre, square_about, window_of
from .rendered_sequences import frame_numbers
from .sequence_batch import difficulty


@dataclass(frozen=True)
class PosedSequenceConf(DepthSequenceConf):
    """How sequences are made from posed frames.

    sequences  folders of one sequence each
    length     neighbouring frames that a sequence is drawn from
    splat_px   pixels of a canvas around a point of a model that take its depth
    """

    name: ClassVar[str] = "posed"

    sequences: tuple[str, ...] = ()
    length: int = 7
    splat_px: int = 2

    def __post_init__(self) -> None:
        if self.length <= self.frames:
            raise ConfigError(
                f"length: {self.length} frames do not hold a reference and {self.frames} others"
            )


class PosedSequences:
    """Batches of sequences from posed frames; ``photos`` are not used.

    Raises `ConfigError` for a folder without a model of enough undistorted frames.
    """

    Conf = PosedSequenceConf

    def __init__(self, photos: Sequence[Path | str], conf: PosedSequenceConf, *, seed: int) -> None:
        self.conf, self.seed = conf, seed
        if not conf.sequences:
            raise ConfigError("--data posed needs folders of frames with models: --sequences")
        self._folders = [
            _Folder(Path(folder), conf.canvas_px, conf.splat_px) for folder in conf.sequences
        ]
        for folder in self._folders:
            if len(folder.names) < conf.length:
                raise ConfigError(
                    f"{folder.root}: {len(folder.names)} posed frames, but sequences are of "
                    f"{conf.length}; set data.length"
                )

    def batch(self, step: int) -> DepthSequenceSource:
        conf = self.conf
        rng = np.random.default_rng((self.seed, step))
        level = difficulty(step, conf.curriculum, classes=3)
        sequences = [self._sequence(rng, level) for _ in range(conf.batch)]
        return DepthSequenceSource.draw(sequences, rng, conf)

    def _sequence(self, rng: np.random.Generator, level: int | None) -> list[Window]:
        conf = self.conf
        folder = self._folders[int(rng.integers(len(self._folders)))]
        first = int(rng.integers(len(folder.names) - conf.length + 1))
        rows = first + frame_numbers(rng, conf.length, conf.frames + 1, level)
        head, *others = (folder.photo(folder.names[row]) for row in rows)
        side = conf.canvas_px
        square = square_about(head, rng.uniform((0, 0), head.image.size), side)
        return [window_of(head, square, side)] + [
            window_of(other, square_about(other, partner_centre(head, square, other), side), side)
            for other in others
        ]


class _Folder:
    """The frames of one sequence, each scaled so that its short side is a canvas'."""

    def __init__(self, root: Path, canvas_px: int, splat_px: int) -> None:
        self.root, self._short, self._splat = root, canvas_px, splat_px
        models = (root / "gt", root / "sparse" / "0")
        model_dir = next((folder for folder in models if is_model(folder)), None)
        if model_dir is None:
            raise ConfigError(f"{root}: no COLMAP model in gt/ or sparse/0/")
        self._model = read_model(model_dir)
        others = {camera.model for camera in self._model.cameras.values()} - {"PINHOLE"}
        if others:
            raise ConfigError(
                f"{model_dir}: {', '.join(sorted(others))} cameras; undistort the photos first: "
                "dad-sfm export gs"
            )
        images = root / "images"
        self.names = [name for name in sorted(self._model.images) if (images / name).is_file()]
        self._points: Mapping[str, np.ndarray] = {}
        if not (root / "depth").is_dir():
            self._points = _points_of(model_dir)
            if not any(map(len, self._points.values())):
                raise ConfigError(f"{root}: neither depth/ nor points in the model")
        self._read = BoundedCache(self._arrays)

    def photo(self, name: str) -> Photo:
        arrays = self._read(Path(name))
        rgb, depth, K = arrays["rgb"], arrays["depth"], arrays["intrinsics_px"]
        pose = self._model.images[name].cam_from_world
        return Photo(Image.fromarray(rgb), depth, Pinhole(K, pose, (rgb.shape[1], rgb.shape[0])))

    def _arrays(self, path: Path) -> Mapping[str, np.ndarray]:
        name = path.as_posix()
        image = read_image(self.root / "images" / name)
        scale = self._short / min(image.size)
        W, H = (max(self._short, round(side * scale)) for side in image.size)
        camera = _resized(self._model.camera_of(name), (W, H))
        pinhole = Pinhole.from_colmap(camera, self._model.images[name].cam_from_world)
        if self._points:
            depth = splatted(pinhole, self._points[name], self._splat)
        else:
            depth = read_depth(self.root / "depth" / f"{path.stem}.npy", (W, H))
        return {
            "rgb": to_array(image, (W, H)),
            "depth": depth.astype(np.float32),
            "intrinsics_px": pinhole.intrinsics_px,
        }


def _resized(camera: Camera, size: tuple[int, int]) -> Camera:
    fx, fy, cx, cy = camera.params
    x, y = size[0] / camera.width, size[1] / camera.height
    return Camera("PINHOLE", *size, (fx * x, fy * y, cx * x, cy * y))


def _points_of(model_dir: Path) -> dict[str, np.ndarray]:
    """N×3 points of the world that each image of a model sees."""
    model = open_model(model_dir)
    return {
        image.name: np.array(
            [model.points3D[p.point3D_id].xyz for p in image.points2D if p.has_point3D()]
        ).reshape(-1, 3)
        for image in model.images.values()
    }


def splatted(camera: Pinhole, points: np.ndarray, reach: int) -> np.ndarray:
    """Depth of N×3 points in the pixels up to ``reach`` px around each, H×W; 0 elsewhere.

    Where several lie, the nearest to the camera counts.
    """
    W, H = camera.size
    depth = np.zeros((H, W), np.float32)
    px, z = camera.project(points)
    for (x, y), distance in sorted(
        zip(np.round(px).astype(int).tolist(), z.tolist(), strict=True), key=lambda p: -p[1]
    ):
        if distance > 0 and 0 <= x < W and 0 <= y < H:
            depth[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1] = distance
    return depth
