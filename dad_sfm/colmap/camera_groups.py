"""Which images share a camera, and what is known of each: given intrinsics first, then modes."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath

from ..geometry.cameras import Camera
from ..io.image_header import Header
from ..io.images import ImageError
from ..io.panorama import is_panorama
from .cameras import CameraError, CameraMode, group_by_camera
from .images import Intrinsics, known_models

logger = logging.getLogger(__name__)

AUTO = "auto"  # EQUIRECTANGULAR for what is one, else the default
DEFAULT_MODEL, PANORAMA_MODEL = "SIMPLE_RADIAL", "EQUIRECTANGULAR"

Group = tuple[list[str], Intrinsics]


def camera_groups(
    headers: Mapping[str, Header],
    mode: CameraMode,
    *,
    model: str = AUTO,
    params: tuple[float, ...] | None = None,
    known: Mapping[str, Camera] | None = None,
    panoramas: Collection[str] = (),
) -> list[Group]:
    """Names of the images of each camera, and its intrinsics.

    known      cameras by name of an image, of a folder (``day1/``), or of all images (``*``): the
               nearest counts.  Images of equal ones share a camera
    model, params
               of all others, grouped as ``mode`` says (see `cameras`)
    panoramas  images that are whole spheres; with the model "auto" they are EQUIRECTANGULAR

    Raises `CameraError` for an unknown model, parameters that are not its own, and images whose
    size is another than that of their camera.
    """
    given = known or {}
    entries: dict[Camera, list[str]] = defaultdict(list)
    rest = {}
    for name, header in headers.items():
        entry = _entry(name, given)
        if entry is None:
            rest[name] = header
        else:
            entries[given[entry]].append(name)
    groups = [(sorted(names), _known(camera, headers, names)) for camera, names in entries.items()]
    for names in group_by_camera(rest, mode):
        chosen = model
        if model == AUTO:
            sphere = params is None and set(names) <= set(panoramas)
            chosen = PANORAMA_MODEL if sphere else DEFAULT_MODEL
        groups.append((names, Intrinsics(chosen, params)))
    return sorted(groups, key=lambda group: group[0])


def check_model(model: str, params: tuple[float, ...] | None) -> None:
    """Raise `CameraError` for an unknown model, or parameters that are not its own."""
    Intrinsics(DEFAULT_MODEL if model == AUTO else model, params)


def find_panoramas(image_dir: Path, headers: Mapping[str, Header]) -> set[str]:
    """The images that are 360° panoramas; says how many, for users who know better.

    Photos of one folder and size decide together: one ordinary photo in two hundred looks like a
    sphere, and one sphere in three does not.
    """
    alike: dict[tuple[str, tuple[int, int]], list[str]] = defaultdict(list)
    for name, header in headers.items():
        if header.size[0] == 2 * header.size[1]:
            alike[str(PurePosixPath(name).parent), header.size].append(name)
    found: set[str] = set()
    for names in alike.values():
        votes = sum(_looks_like_panorama(image_dir / name) for name in names)
        if 2 * votes >= len(names):
            found.update(names)
    if found and PANORAMA_MODEL not in known_models():
        logger.warning(
            "%d photos look like 360° panoramas, first: %s; the installed pycolmap has no model "
            "of them, a newer one has",
            len(found),
            min(found),
        )
        return set()
    if found:
        logger.info(
            "%d photos are taken for 360° panoramas, first: %s; --camera-model says otherwise",
            len(found),
            min(found),
        )
    return found


def _looks_like_panorama(path: Path) -> bool:
    try:
        return is_panorama(path)
    except ImageError as error:
        logger.debug("%s", error)
        return False


def _entry(name: str, known: Mapping[str, Camera]) -> str | None:
    """The entry for an image: its own, that of the innermost folder, or that of all."""
    folders = [f"{folder}/" for folder in PurePosixPath(name).parents if str(folder) != "."]
    return next((entry for entry in (name, *folders, "*") if entry in known), None)


def _known(camera: Camera, headers: Mapping[str, Header], names: list[str]) -> Intrinsics:
    for name in names:
        W, H = headers[name].size
        if (camera.width, camera.height) != (W, H):
            raise CameraError(
                f"{name} has {W}×{H} pixels, but its known camera {camera.width}×{camera.height}"
            )
    return Intrinsics(camera.model, camera.params)
