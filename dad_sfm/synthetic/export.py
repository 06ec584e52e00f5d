"""The courtyard as a folder: photos, ground truth in COLMAP's format, depth maps."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..colmap.model import read_model
from ..geometry.cameras import PosedImage
from ..geometry.pinhole import Pinhole
from ..io.colmap_text import MODEL_FILES, write_text_model
from .courtyard import courtyard, courtyard_cameras, courtyard_drive
from .render import render
from .scene import Scene, View
from .video import motion_blurred

logger = logging.getLogger(__name__)

VERSION = 1  # of the scene: raise it when the courtyard or the renderer changes what is drawn
MARKER = "scene.json"
_PARTIAL = ".partial"
_PARTS = ("images", "depth", "gt")


def render_courtyard(
    folder: Path | str,
    *,
    seed: int = 0,
    size: tuple[int, int] = (1024, 683),
    count: int = 14,
) -> Path:
    """Draw the courtyard into a folder, unless it is there already; returns the folder.

    ``images/0000.jpg`` ...   ``count`` photos of ``size`` (W, H)
    ``gt/``                   COLMAP text model: one PINHOLE camera, poses, no points; metres
    ``depth/0000.npy`` ...    H×W float32 z-depths at the pixel centres, metres, 0 = sky
    ``scene.json``            what was drawn; written last, so without it nothing is complete

    Equal arguments give equal bytes with the same numpy and Pillow.  Everything is drawn into a
    hidden folder first: an interrupted run leaves nothing that looks whole, and is done again.
    """
    made_of = {"scene": "courtyard", "version": VERSION, "seed": seed, "size": list(size)}
    cameras = courtyard_cameras(size, count)

    def draw(scene: Scene, index: int) -> View:
        # Automatic exposure is never quite the same twice.
        exposure = 1 + 0.08 * np.sin(1.9 * index)
        return render(scene, cameras[index], exposure=exposure, seed=seed * 1000 + index)

    return _render_into(Path(folder), made_of, cameras, draw)


def render_drive(
    folder: Path | str, *, seed: int = 0, size: tuple[int, int] = (640, 400), count: int = 40
) -> Path:
    """Draw the frames of a drive through the courtyard, as `render_courtyard` draws its photos:
    in order, with motion blur and an exposure that follows what is seen."""
    made_of = {"scene": "courtyard drive", "version": 1, "seed": seed, "size": list(size)}
    cameras = courtyard_drive(size, count)

    def draw(scene: Scene, index: int) -> View:
        exposure = 1 + 0.15 * np.sin(0.2 * index)
        view = render(scene, cameras[index], exposure=exposure, seed=seed * 1000 + index)
        ahead = cameras[index + 1] if index + 1 < count else cameras[index - 1]
        return motion_blurred(view, ahead, shutter=0.15)

    return _render_into(Path(folder), made_of, cameras, draw)


def _render_into(
    root: Path,
    made_of: dict[str, Any],
    cameras: list[Pinhole],
    draw: Callable[[Scene, int], View],
) -> Path:
    count, width = len(cameras), cameras[0].size[0]
    files = [*(f"images/{i:04d}.jpg" for i in range(count))]
    files += [*(f"depth/{i:04d}.npy" for i in range(count))]
    files += [f"gt/{name}.txt" for name in MODEL_FILES]
    marker = {**made_of, "files": sorted(files)}
    if _complete(root, marker):
        return root
    logger.info("drawing %d views of the %s into %s", count, made_of["scene"], root)
    partial = root / _PARTIAL
    shutil.rmtree(partial, ignore_errors=True)
    for part in _PARTS:
        (partial / part).mkdir(parents=True)
    scene = courtyard(made_of["seed"], detail=min(1.0, width / 1024))
    with ThreadPoolExecutor(2) as pool:
        # list() raises what a view raised.
        list(pool.map(lambda i: _draw(draw, scene, i, partial), range(count)))
    _write_ground_truth(partial / "gt", cameras)
    _publish(root, partial, marker)
    return root


def _complete(root: Path, marker: dict[str, Any]) -> bool:
    path = root / MARKER
    if not path.is_file():
        return False
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return found == marker and all((root / name).is_file() for name in marker["files"])


def _draw(draw: Callable[[Scene, int], View], scene: Scene, index: int, folder: Path) -> None:
    view = draw(scene, index)
    save_view(view, folder / f"images/{index:04d}.jpg", folder / f"depth/{index:04d}.npy")


def save_view(view: View, image_path: Path, depth_path: Path) -> None:
    """Write a view's photo (JPEG without chroma subsampling) and its depth."""
    Image.fromarray(view.rgb).save(image_path, quality=95, subsampling=0)
    np.save(depth_path, view.depth)


def load_view(folder: Path | str, name: str) -> View:
    """Read a view that `render_courtyard` wrote, ``name`` being that of its photo."""
    root = Path(folder)
    model = read_model(root / "gt")
    camera = Pinhole.from_colmap(model.camera_of(name), model.images[name].cam_from_world)
    with Image.open(root / "images" / name) as image:
        rgb = np.asarray(image.convert("RGB"))
    return View(camera, rgb, np.load(root / "depth" / f"{Path(name).stem}.npy"))


def _write_ground_truth(folder: Path, cameras: list[Pinhole]) -> None:
    images = [
        PosedImage(f"{i:04d}.jpg", 1, camera.cam_from_world) for i, camera in enumerate(cameras)
    ]
    write_text_model(folder, {1: cameras[0].to_colmap()}, images)


def _publish(root: Path, partial: Path, marker: dict[str, Any]) -> None:
    """Put the finished parts in their places; the marker goes first and comes last."""
    (root / MARKER).unlink(missing_ok=True)
    for part in _PARTS:
        shutil.rmtree(root / part, ignore_errors=True)
        os.replace(partial / part, root / part)
    text = json.dumps(marker, indent=1, sort_keys=True) + "\n"
    (partial / MARKER).write_text(text, encoding="utf-8")
    os.replace(partial / MARKER, root / MARKER)
    partial.rmdir()
