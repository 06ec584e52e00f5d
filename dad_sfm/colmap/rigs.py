"""Cameras that are mounted to each other: COLMAP's rig configuration, put into a database."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from .camera_groups import Group
from .cameras import CameraError
from .images import open_database

logger = logging.getLogger(__name__)


def rig_prefixes(path: Path | str) -> list[list[str]]:
    """Prefixes of the image names of each camera of each rig in COLMAP's ``rig_config.json``.

    Raises `CameraError` for a file that is none, and FileNotFoundError.
    """
    try:
        rigs = json.loads(Path(path).read_text(encoding="utf-8"))
        cameras = [rig["cameras"] for rig in rigs]
        prefixes = [[str(camera["image_prefix"]) for camera in rig] for rig in cameras]
        references = [sum(bool(camera.get("ref_sensor")) for camera in rig) for rig in cameras]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CameraError(f"{path}: not a rig configuration of COLMAP's ({error!r})") from error
    if not prefixes or any(count != 1 for count in references):
        raise CameraError(f'{path}: each rig needs one camera with "ref_sensor": true')
    every = [prefix for rig in prefixes for prefix in rig]
    for prefix in every:
        if sum(other.startswith(prefix) for other in every) > 1:
            raise CameraError(f"{path}: {prefix!r} begins the names of several cameras' images")
    return prefixes


def apart_by_rig(groups: Sequence[Group], prefixes: Iterable[Sequence[str]]) -> list[Group]:
    """Groups of images that share a camera, divided so that no two cameras of a rig are one.

    Raises `CameraError` where the images of one camera of a rig have several, or there are none.
    """
    every = [prefix for rig in prefixes for prefix in rig]
    apart: list[Group] = []
    owners: dict[str, int] = dict.fromkeys(every, 0)
    for names, intrinsics in groups:
        rest = [n for n in names if not n.startswith(tuple(every))]
        if rest:
            apart.append((rest, intrinsics))
        for prefix in every:
            if own := [n for n in names if n.startswith(prefix)]:
                owners[prefix] += 1
                apart.append((own, intrinsics))
    for prefix, count in owners.items():
        if count == 0:
            raise CameraError(f"the rig has images {prefix}..., but there are none")
        if count > 1:
            raise CameraError(
                f"the images {prefix}... of one camera of a rig have {count} different cameras by "
                "their EXIF; use --camera-mode per_folder"
            )
    return sorted(apart, key=lambda group: group[0])


def write_rigs(database: Path, path: Path | str) -> None:
    """Put the rigs of a file into a database of images; its intrinsics replace the database's."""
    import pycolmap

    with open_database(database) as db:
        pycolmap.apply_rig_config(pycolmap.read_rig_config(str(path)), db)
        frames = [len(frame.data_ids) for frame in db.read_all_frames()]
    whole = sum(count > 1 for count in frames)
    logger.info("%d frames of %d images by rigs, %d of one", whole, sum(frames), frames.count(1))
