"""Scenes by folder or by name."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from ..core.registry import Registry
from .colmap_text import is_model

# Scenes that need no download, because a function of a folder renders them on first use.
RENDERED = Registry("rendered scene", {"courtyard": "dad_sfm.synthetic:render_courtyard"})


class SceneError(FileNotFoundError):
    """There is no such scene.  The message lists the places and the names there are."""


@dataclass(frozen=True)
class Scene:
    """A folder of images, and the folder of the true cameras (a COLMAP model) if there is one."""

    name: str
    image_dir: Path
    gt: Path | None = None


def find_scene(scene: Path | str) -> Scene:
    """The scene of a folder of images, of a folder that holds ``images/``, or of a name.

    Names are folders under ``datasets/``, here or beside the package.  ``courtyard`` is rendered
    there on first use.  Raises `SceneError`.
    """
    folder = Path(scene)
    if folder.is_dir():
        return _scene_in(folder)
    places = dataset_folders()
    if str(scene) in RENDERED.names:
        render = RENDERED.plugin(str(scene))
        return _scene_in(render((places or [Path("datasets")])[0] / str(scene)))
    for place in places:
        if (place / str(scene) / "images").is_dir():
            return _scene_in(place / str(scene))
    for place in places:
        if (place / str(scene) / "README.md").is_file():
            raise SceneError(f"{place / str(scene)} has no images yet; its README.md tells how")
    raise SceneError(
        f"no scene {str(scene)!r}: no such folder, and the names under datasets/ are "
        f"{', '.join(scene_names())}"
    )


def default_output(scene: Path | str) -> Path:
    """``outputs/<name>`` of a data set, ``outputs/<folder>-<digest of its path>`` of a folder or
    a file (a video).

    Folders of one name (``day1/frames``, ``day2/frames``) have outputs of their own, the same in
    every run.
    """
    if Path(scene).is_file():
        return _named(Path(scene).stem, Path(scene))
    place = find_scene(scene)
    if not Path(scene).is_dir():
        return Path("outputs", place.name)
    return _named(place.name, place.image_dir)


def _named(name: str, path: Path) -> Path:
    digest = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:8]
    return Path("outputs", f"{name}-{digest}")


def dataset_folders() -> list[Path]:
    """The ``datasets/`` folders there are: of the working directory, and of the checkout."""
    places = [Path("datasets"), Path(__file__).parents[2] / "datasets"]
    found = [p for p in places if p.is_dir()]
    return found if len({p.resolve() for p in found}) == len(found) else found[:1]


def scene_names() -> list[str]:
    """Names that `find_scene` knows and that have images."""
    held = {p.parent.name for place in dataset_folders() for p in place.glob("*/images")}
    return sorted(held.union(RENDERED.names))


def _scene_in(folder: Path) -> Scene:
    name = folder.resolve().name
    if not (folder / "images").is_dir():
        return Scene(name, folder)
    gt = folder / "gt"
    return Scene(name, folder / "images", gt if is_model(gt) else None)
