"""Whole spheres among photos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from dad_sfm.io.panorama import is_panorama


def sphere(width: int = 512) -> np.ndarray:
    """A smooth pattern on the sphere: it closes around, and has poles."""
    lon = (np.arange(width) + 0.5) / width * 2 * np.pi
    lat = (0.5 - (np.arange(width // 2) + 0.5) / (width // 2)) * np.pi
    x = np.cos(lat)[:, None] * np.cos(lon)
    y = np.cos(lat)[:, None] * np.sin(lon)
    z = np.sin(lat)[:, None] + 0 * lon
    grey = np.sin(7 * x + 2) + np.sin(9 * y) + np.sin(5 * z)
    return np.uint8(127 + 40 * grey)


def saved(path: Path, pixels: np.ndarray, **options: object) -> Path:
    Image.fromarray(pixels).save(path, quality=92, **options)
    return path


def test_a_sphere_is_one(tmp_path: Path) -> None:
    assert is_panorama(saved(tmp_path / "a.jpg", sphere()))


def test_a_part_of_it_is_none_though_its_sides_are_as_long(tmp_path: Path) -> None:
    half = sphere(1024)[64:320, 100:612]
    assert half.shape == (256, 512)
    assert not is_panorama(saved(tmp_path / "a.jpg", half))
    assert not is_panorama(saved(tmp_path / "b.jpg", sphere()[:, :-2]))  # not quite 2:1


def test_a_photo_may_say_so_itself(tmp_path: Path) -> None:
    xmp = b"<x:xmpmeta><GPano:ProjectionType>equirectangular</GPano:ProjectionType></x:xmpmeta>"
    noise = np.random.default_rng(0).integers(0, 255, (60, 90)).astype(np.uint8)
    assert is_panorama(saved(tmp_path / "a.jpg", noise, xmp=xmp))
    assert not is_panorama(saved(tmp_path / "b.jpg", noise))
