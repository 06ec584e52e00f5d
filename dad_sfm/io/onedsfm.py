"""Scenes of internet photos in the layout of 1DSfM (Wilson and Snavely, ECCV 2014).

``SCENE/images/*`` and, where it is, ``SCENE/list.txt``: the photos that the authors used, a line
``images/name.jpg`` each, followed by what their programs knew of the focal length.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .listing import list_images
from .scenes import SceneError
from .text_lists import check_relative, read_lines

_FOLDER = "images"


@dataclass(frozen=True)
class OneDSfMScene:
    """A scene.

    names  of the photos, relative to ``image_dir``, in order
    gone   listed photos that are not there: collections of internet photos lose some
    """

    name: str
    image_dir: Path
    names: list[str]
    gone: list[str]


def read_onedsfm(folder: Path | str) -> OneDSfMScene:
    """Read a scene.  Raises `SceneError` where it is not, or holds fewer than two photos; and
    `ListError` for a list that cannot be read."""
    root = Path(folder)
    image_dir = root / _FOLDER
    if not image_dir.is_dir():
        raise SceneError(f"{root} is no scene of 1DSfM: it has no folder {_FOLDER}")
    there = list_images(image_dir)
    listed = there
    if (root / "list.txt").is_file():
        listed = _listed(root / "list.txt")
    gone = sorted(set(listed) - set(there))
    names = sorted(set(listed) - set(gone))
    if len(names) < 2:
        raise SceneError(f"{image_dir}: {len(names)} photos of the scene are there")
    return OneDSfMScene(root.name, image_dir, names, gone)


def _listed(path: Path) -> list[str]:
    names = [line.split()[0].removeprefix(f"{_FOLDER}/") for _, line in read_lines(path)]
    for name in names:
        check_relative(name, path)
    return names
