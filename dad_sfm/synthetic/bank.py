"""A bank of random scenes: a few views of each with depth and cameras, rendered once.

``bank.json``       what it is made of; a folder that holds another bank is refused
``00000.npz`` ...   a scene each, in the arrays that `save_scene` lists

Scene n depends on the bank's seed and n alone.  A file that exists is complete, so an interrupted
rendering resumes where it was, and a bank grows when more scenes are asked for.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from ..core.config import ConfigError
from ..io.images import ImageError, digest_of_names, read_image, size_for, to_array
from .random_cameras import random_cameras, seen_share
from .random_scene import another_day, random_scene
from .render import render
from .scene import View

logger = logging.getLogger(__name__)

VERSION = 2  # raise it when random scenes, the renderer or the files change
MARKER = "bank.json"
_TEXTURES = 12  # photos a scene draws its surfaces from
_TEXTURE_PX = 512  # long side of a texture


@dataclass(frozen=True)
class BankConf:
    """What defines a bank, beside its textures and the number of its scenes."""

    size: int = 320  # side of the square views, px
    views: int = 4  # of each scene
    overlap: float = 0.3  # share of the first view that each other one sees
    relief: bool = True  # see `random_scene`
    days: float = 0.5  # share of the scenes whose views are each of another day
    seed: int = 0


# What one scene of a bank shows: from the bank's configuration, the scene's generator, a seed drawn
# from it and the photos that cover the surfaces (None: painted ones), its views and their shares.
DrawViews = Callable[
    [Any, np.random.Generator, int, "list[np.ndarray] | None"], "tuple[list[View], np.ndarray]"
]


def random_views(
    conf: BankConf, rng: np.random.Generator, seed: int, covers: list[np.ndarray] | None
) -> tuple[list[View], np.ndarray]:
    """Views of a random scene from random places, and what each sees of each other."""
    scene = random_scene(seed, covers, relief=conf.relief)
    cameras = random_cameras(
        scene, seed, conf.views, size=(conf.size, conf.size), overlap=conf.overlap
    )
    each_its_day = rng.random() < conf.days
    views = [
        render(another_day(scene, seed + i) if each_its_day else scene, camera, seed=seed + i)
        for i, camera in enumerate(cameras)
    ]
    return views, np.array([[seen_share(scene, a, b) for b in cameras] for a in cameras])


def render_bank(
    folder: Path | str,
    conf: Any,
    *,
    scenes: int,
    textures: Sequence[Path] = (),
    workers: int | None = None,
    draw_views: DrawViews = random_views,
) -> list[Path]:
    """Render what is missing of ``scenes`` scenes into a folder; returns their files.

    ``conf`` is the dataclass that ``draw_views`` takes, with a ``seed``: a `BankConf`.

    ``textures`` are photos that cover the surfaces; without any, textures are painted.
    ``workers`` processes work at once (default: one a core, at most 8; 0: this process alone).
    Photos that cannot be read are left out.  Raises `ConfigError` when the folder holds a bank that
    is made of something else, `ImageError` when no photo can be read.
    """
    root = Path(folder)
    _claim(root, conf, textures)
    paths = [root / f"{number:05d}.npz" for number in range(scenes)]
    missing = [number for number, path in enumerate(paths) if not path.is_file()]
    if missing:
        logger.info("rendering %d of %d scenes into %s", len(missing), scenes, root)
    draw = partial(_draw, root, conf, textures, draw_views)
    if workers == 0 or len(missing) < 2:
        for number in missing:
            draw(number)
        return paths
    workers = workers or min(8, os.cpu_count() or 1)
    # A forked process would inherit the threads of torch halfway through what they do.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        list(pool.map(draw, missing))  # list() raises what a scene raised
    return paths


def _claim(root: Path, conf: Any, textures: Sequence[Path]) -> None:
    root.mkdir(parents=True, exist_ok=True)
    made_of = {"version": VERSION, **asdict(conf), "textures": digest_of_names(textures)}
    marker = root / MARKER
    if not marker.is_file():
        _replace(marker, json.dumps(made_of, indent=1).encode())
        return
    try:
        found = json.loads(marker.read_text(encoding="utf-8"))
    except ValueError:
        found = {}
    if found != made_of:
        other = [key for key, value in made_of.items() if found.get(key) != value]
        raise ConfigError(
            f"{root} holds a bank of rendered scenes that differs in {', '.join(other)} "
            f"(see {marker}); give another folder or delete it"
        )


def _draw(
    root: Path, conf: Any, textures: Sequence[Path], draw_views: DrawViews, number: int
) -> None:
    """Render one scene and write its file, unless another process has done it meanwhile."""
    path = root / f"{number:05d}.npz"
    if path.is_file():
        return
    rng = np.random.default_rng((conf.seed, number))
    seed = int(rng.integers(2**31))
    order = rng.permutation(len(textures))
    covers = _covers(textures[i] for i in order) if textures else None
    save_scene(path, *draw_views(conf, rng, seed, covers))


def _covers(photos: Iterable[Path]) -> list[np.ndarray]:
    """The first photos that can be read.  Raises `ImageError` when there is none."""
    found: list[np.ndarray] = []
    problem = None
    for path in photos:
        try:
            image = read_image(path)
        except ImageError as error:
            logger.warning("left out as a texture: %s", error)
            problem = error
            continue
        found.append(to_array(image, size_for(image.size, resize_max=_TEXTURE_PX)))
        if len(found) == _TEXTURES:
            break
    if problem and not found:
        raise problem
    return found


def save_scene(path: Path, views: Sequence[View], shares: np.ndarray) -> None:
    """Write a scene's file, whole or not at all.

    rgb_N, depth_N   of view N: H×W×3 uint8, and H×W float32 z-depth in metres, 0 = sky
    intrinsics_px    V×3×3 float64, pixel-index frame
    cam_from_world   V×3×4 float64
    shares           V×V float64: the share of what the row's view sees that the column's sees too
    """
    arrays = {f"rgb_{i}": view.rgb for i, view in enumerate(views)}
    arrays |= {f"depth_{i}": view.depth for i, view in enumerate(views)}
    temporary = path.with_name(f"{path.stem}.{uuid4().hex}.tmp")
    with temporary.open("wb") as file:
        np.savez(
            file,
            intrinsics_px=np.stack([view.camera.intrinsics_px for view in views]),
            cam_from_world=np.stack([view.camera.cam_from_world for view in views]),
            shares=shares,
            **arrays,  # type: ignore[arg-type]
        )
    os.replace(temporary, path)


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(f"{path.name}.{uuid4().hex}.tmp")
    temporary.write_bytes(content)
    os.replace(temporary, path)
