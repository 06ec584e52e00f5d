"""Small sets in the layouts of the releases that labelled pairs come from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image


def photo(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (60, 40)) -> None:
    """A photo of one colour, so that a test can tell which it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((size[1], size[0], 3), colour, np.uint8)).save(path)


def write_places(root: Path, *, places: int = 3, photos: int = 4) -> Path:
    """Folders of photos; red says the place, green the photo."""
    for place in range(places):
        for number in range(photos):
            photo(root / f"place{place}" / f"{number}.png", (50 * place, 50 * number, 0))
    return root


def write_tokyo(root: Path, *, places: int = 4) -> Path:
    """``00001.jpg``, ``00001.csv``, ...: three per place; red says the place, green the photo."""
    for number in range(3 * places):
        photo(root / f"{number + 1:05d}.jpg", (50 * (number // 3), 100 * (number % 3), 0))
        (root / f"{number + 1:05d}.csv").write_text("time,lat,lon\n")
    (root / "Readme.txt").write_text("")
    return root


def write_acdc(root: Path, *, frames: int = 24) -> Path:
    """Frames of two conditions with their references; red says which frame, blue the kind."""
    for offset, condition in enumerate(("fog", "rain")):
        for number in range(frames):
            name = f"GOPR0475_frame_{number:06d}"
            red = 5 * (frames * offset + number)
            folder, sequence = root / "rgb_anon" / condition, "GOPR0475"
            size = (60, 50)
            photo(folder / "train" / sequence / f"{name}_rgb_anon.png", (red, 0, 0), size)
            photo(folder / "train_ref" / sequence / f"{name}_ref_anon.png", (red, 0, 200), size)
    return root


def write_disk(root: Path, *, scenes: int = 3) -> Path:
    """``megadepth/dataset.json`` and its photos; red says the scene, green the photo."""
    index = {}
    for scene in range(scenes):
        names = [f"{number}.jpg" for number in range(4)]
        for number, name in enumerate(names):
            path = root / "megadepth" / "scenes" / f"{scene:04d}" / "images" / name
            photo(path, (60 * scene, 60 * number, 0))
        folder = f"scenes/{scene:04d}"
        index[f"{scene:04d}"] = {
            "image_path": f"{folder}/images",
            "depth_path": f"{folder}/depth_maps",
            "calib_path": f"{folder}/calibration",
            "images": names,
            "tuples": [[0, 1, 2], [1, 2, 3]],
        }
    (root / "megadepth" / "dataset.json").write_text(json.dumps(index))
    return root
