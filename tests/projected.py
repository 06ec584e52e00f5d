"""A scene of projected points: cameras, images, features and matches that are known exactly."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image

from dad_sfm.core.types import Features, Matches
from dad_sfm.geometry import pixel_frames
from dad_sfm.geometry.cameras import Camera, CameraModel, PosedImage
from dad_sfm.io.pairs_file import write_pairs
from dad_sfm.io.store import FeatureWriter, MatchWriter

SIZE = (800, 600)
FOCAL = 900.0


@dataclass
class Scene:
    """Files of a scene, and what is true about it.  ``points_px`` holds the exact keypoints."""

    root: Path
    gt: CameraModel
    points_px: dict[str, np.ndarray]

    @property
    def image_dir(self) -> Path:
        return self.root / "images"

    @property
    def inputs(self) -> dict[str, Path]:
        files = {"features": "features.h5", "pairs": "pairs.txt", "matches": "matches.h5"}
        return {"image_dir": self.image_dir, **{k: self.root / v for k, v in files.items()}}


def look_at(center: np.ndarray, target: np.ndarray) -> np.ndarray:
    """3×4 cam_from_world of a camera at ``center`` that looks at ``target``, y down."""
    z = (target - center) / np.linalg.norm(target - center)
    x = np.cross([0.0, 1.0, 0.0], z)
    x /= np.linalg.norm(x)
    R = np.stack([x, np.cross(z, x), z])
    return np.column_stack([R, -R @ center])


def make_scene(
    root: Path,
    parts: list[list[str]],
    *,
    points: int = 250,
    noise_px: float = 0.0,
    baseline: float = 0.25,
    bob: float = 0.3,
    principal_point: tuple[float, float] = (SIZE[0] / 2, SIZE[1] / 2),
    centers: np.ndarray | None = None,
    seed: int = 0,
) -> Scene:
    """Write images (blank), features, pairs (exhaustive) and matches.

    ``parts`` are sets of image names; images of different parts see different points, so that
    pairs across have no matches.  Every image has 30 keypoints of nothing as well.  Cameras stand
    on an arc, ``baseline`` radians apart, or at ``centers`` (N×3), and look at the origin.
    """
    rng = np.random.default_rng(seed)
    camera = Camera("PINHOLE", *SIZE, (FOCAL, FOCAL, *principal_point))
    posed, pixels, seen = {}, {}, {}
    for part, names in enumerate(parts):
        world = rng.uniform(-1, 1, (points, 3)) * [1.6, 1.2, 1.0]
        for i, name in enumerate(names):
            angle = (i - (len(names) - 1) / 2) * baseline
            center = np.array([5 * np.sin(angle), bob * np.sin(2.0 * i), -5 * np.cos(angle)])
            pose = look_at(center if centers is None else centers[i], np.zeros(3))
            cam = world @ pose[:, :3].T + pose[:, 3]
            xy = FOCAL * cam[:, :2] / cam[:, 2:] + principal_point
            inside = ((xy > 0) & (xy < SIZE)).all(axis=1)
            ids = np.concatenate([np.flatnonzero(inside) + part * points, np.full(30, -1)])
            xy = np.concatenate([xy[inside], rng.uniform(0, SIZE, (30, 2))])
            xy += rng.normal(size=xy.shape) * noise_px
            order = rng.permutation(len(ids))
            posed[name] = PosedImage(name, 1, pose)
            pixels[name], seen[name] = pixel_frames.px_from_colmap(xy[order]), ids[order]
    scene = Scene(root, CameraModel({1: camera}, posed), pixels)
    _write(scene, seen)
    return scene


def _write(scene: Scene, seen: dict[str, np.ndarray]) -> None:
    blank = Image.new("L", SIZE, 128)
    names = sorted(seen)
    for name in names:
        path = scene.image_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        blank.save(path)
    with FeatureWriter(scene.inputs["features"], {"made_by": "tests"}) as writer:
        for name in names:
            writer.write(name, features(scene.points_px[name]))
    with MatchWriter(scene.inputs["matches"], {"made_by": "tests"}) as writer:
        for a, b in combinations(names, 2):
            index = {int(p): i for i, p in enumerate(seen[b]) if p >= 0}
            matches0 = np.array([index.get(int(p), -1) for p in seen[a]], np.int32)
            writer.write(a, b, Matches(matches0, (matches0 >= 0).astype(np.float32)))
    write_pairs(scene.inputs["pairs"], combinations(names, 2))


def features(points_px: np.ndarray, size: tuple[int, int] = SIZE) -> Features:
    scores = np.linspace(1, 0.5, len(points_px), dtype=np.float32)
    return Features(points_px.astype(np.float32), scores, size)
