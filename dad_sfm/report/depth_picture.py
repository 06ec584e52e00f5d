"""The points of a model in one of its photos, coloured by their depth: near ones red, far blue."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from ..colmap.model import open_model
from ..geometry.pixel_frames import px_from_colmap
from ..io.images import read_image

_LONG_SIDE = 1024
_COLOURS = np.array(
    [[165, 0, 38], [244, 109, 67], [254, 224, 144], [116, 173, 209], [49, 54, 149]], float
)


def draw_depth(
    model_dir: Path | str, image_dir: Path | str, name: str | None = None
) -> Image.Image:
    """Draw a photo, darkened, with the points that it sees in the model.

    name  of the photo; by default the one that sees most points
    Raises `FileNotFoundError`, `ModelError`, `ImageError`, and `ValueError` for a photo that is
    not in the model.
    """
    model = open_model(model_dir)
    by_name = {image.name: image for image in model.images.values() if image.has_pose}
    if name is None:
        name = max(by_name, key=lambda each: by_name[each].num_points3D, default="")
    if name not in by_name:
        raise ValueError(f"{model_dir}: no image {name!r}")
    image = by_name[name]
    seen = [p for p in image.points2D if p.has_point3D()]
    points = np.array([p.xy for p in seen], float).reshape(-1, 2)
    xyz = np.array([model.points3D[p.point3D_id].xyz for p in seen]).reshape(-1, 3)
    depth = (image.cam_from_world() * xyz)[:, 2] if len(xyz) else np.zeros(0)
    photo = read_image(Path(image_dir) / name).convert("RGB")
    return coloured(photo, px_from_colmap(points), depth)


def coloured(photo: Image.Image, points_px: np.ndarray, depth: np.ndarray) -> Image.Image:
    """A darkened photo with N×2 points (pixel-index frame) in the colours of their N depths."""
    scale = min(1.0, _LONG_SIDE / max(photo.size))
    size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    picture = Image.blend(photo.resize(size), Image.new("RGB", size), 0.5)
    draw = ImageDraw.Draw(picture)
    colours = depth_colours(depth)
    for row in np.argsort(-depth):  # near ones on top
        x, y = (points_px[row] + 0.5) * scale - 0.5
        draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=tuple(colours[row].tolist()))
    return picture


def depth_colours(depth: np.ndarray) -> np.ndarray:
    """N×3 uint8 colours by the rank of each depth, the nearest first: outliers take no colour from
    the others."""
    if not len(depth):
        return np.zeros((0, 3), np.uint8)
    rank = np.argsort(np.argsort(depth, kind="stable"), kind="stable")
    share = rank / max(1, len(depth) - 1) * (len(_COLOURS) - 1)
    columns = [np.interp(share, np.arange(len(_COLOURS)), column) for column in _COLOURS.T]
    return np.stack(columns, axis=-1).round().astype(np.uint8)
