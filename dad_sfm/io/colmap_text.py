"""COLMAP text models without pycolmap, so that rendered scenes can state their ground truth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ..geometry.cameras import Camera, PosedImage, quaternion

MODEL_FILES = ("cameras", "images", "points3D")


class ModelError(ValueError):
    """A folder does not hold a COLMAP model that can be used.  The message names the folder."""


def is_model(folder: Path | str) -> bool:
    """Whether a folder holds a COLMAP model, text or binary."""
    root = Path(folder)
    return any(all((root / f"{f}{end}").is_file() for f in MODEL_FILES) for end in (".bin", ".txt"))


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
