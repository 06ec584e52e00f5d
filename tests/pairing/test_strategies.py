"""Pairs by position, likeness, poses, shared points, a file, and several of these."""

from __future__ import annotations

import logging
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from dad_sfm import pairs
from dad_sfm.core.config import ConfigError
from dad_sfm.geometry.cameras import Camera, PosedImage
from dad_sfm.io.colmap_text import write_text_model
from dad_sfm.io.pairs_file import PairsError, origins_path, read_origins, read_pairs, write_pairs

NAMES = [f"{k}.jpg" for k in range(6)]


def made(tmp_path: Path, strategy: str, names: list[str] = NAMES, **options: object) -> set:
    path = pairs.main(tmp_path / "p.txt", names, image_dir=tmp_path, strategy=strategy, **options)
    return {tuple(sorted(int(name[0]) for name in pair)) for pair in read_pairs(path)}


def photos_on_a_line(tmp_path: Path, metres: list[float | None]) -> None:
    """Photos north of each other; None: without a position."""
    for name, north in zip(NAMES, metres, strict=True):
        exif = Image.Exif()
        if north is not None:
            # One second of latitude at the equator is 30.715 m.
            exif[34853] = {1: "N", 2: (0.0, 0.0, north / 30.715), 3: "E", 4: (10.0, 0.0, 0.0)}
        Image.new("L", (8, 8)).save(tmp_path / name, exif=exif)


def test_spatial(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    photos_on_a_line(tmp_path, [0, 100, 220, 1000, 1050, None])
    assert made(tmp_path, "spatial", neighbors=1) == {(0, 1), (1, 2), (3, 4)}
    assert "1 of 6 photos have no GPS position" in caplog.text
    assert made(tmp_path, "spatial", radius=110) == {(0, 1), (3, 4)}


def test_spatial_without_positions_is_refused(tmp_path: Path) -> None:
    photos_on_a_line(tmp_path, [0, *[None] * 5])
    with pytest.raises(PairsError, match=r"5 of 6 photos .* no GPS"):
        made(tmp_path, "spatial")


def write_global_descriptors(path: Path) -> str:
    """Images look in directions 0, 10, 21, 180, 190, 201 degrees."""
    angles = np.deg2rad([0, 10, 21, 180, 190, 201])
    with h5py.File(path, "w") as file:
        for name, angle in zip(NAMES, angles, strict=True):
            file[f"{name}/global_descriptor"] = np.array([np.cos(angle), np.sin(angle)])
    return str(path)


def test_retrieval_by_global_descriptors(tmp_path: Path) -> None:
    file = write_global_descriptors(tmp_path / "g.h5")
    found = made(tmp_path, "retrieval", num_matched=2, descriptors=file)
    assert found == {(0, 1), (0, 2), (1, 2), (3, 4), (3, 5), (4, 5)}
    beyond = made(tmp_path, "retrieval", num_matched=1, descriptors=file, gap=1)
    assert beyond == {(0, 2), (1, 5), (2, 4), (3, 5)}


def test_retrieval_needs_something_to_compare(tmp_path: Path) -> None:
    with pytest.raises(PairsError, match="needs the images' features"):
        made(tmp_path, "retrieval")


def write_poses(folder: Path) -> str:
    """Cameras at x = 0, 1, 3, 6, 10 that look along z, and one at x = 0 that looks back."""
    camera = Camera("PINHOLE", 8, 8, (8.0, 8.0, 4.0, 4.0))
    images = []
    for k, name in enumerate(NAMES):
        R = np.diag([-1.0, 1.0, -1.0]) if k == 5 else np.eye(3)
        center = np.array([(0, 1, 3, 6, 10, 0)[k], 0, 0])
        images.append(PosedImage(name, 1, np.column_stack([R, -R @ center])))
    return str(write_text_model(folder, {1: camera}, images))


def test_poses(tmp_path: Path) -> None:
    model = write_poses(tmp_path / "model")
    chain = {(0, 1), (1, 2), (2, 3), (3, 4)}
    assert made(tmp_path, "poses", model=model, neighbors=1) == chain
    every = made(tmp_path, "poses", model=model, neighbors=9)
    assert every == {(i, j) for i in range(5) for j in range(i + 1, 5)}
    assert (0, 5) in made(tmp_path, "poses", model=model, neighbors=1, max_angle=180)


def test_covisibility(tmp_path: Path) -> None:
    model = Path(write_poses(tmp_path / "model"))
    tracks = {1: [1, 2], 2: [1, 2, 3], 3: [2, 3], 4: [4, 6]}  # ids of images are 1, 2, ...
    points = "".join(
        f"{i} 0 0 5 0 0 0 1 {' '.join(f'{image} {i - 1}' for image in track)}\n"
        for i, track in tracks.items()
    )
    (model / "points3D.txt").write_text(points)
    lines = (model / "images.txt").read_text().split("\n")
    observations = {
        i: [f"1 1 {p}" if i in t else "1 1 -1" for p, t in tracks.items()] for i in range(1, 7)
    }
    lines[1::2] = [" ".join(observations[i]) for i in range(1, 7)]
    (model / "images.txt").write_text("\n".join(lines) + "\n")
    assert made(tmp_path, "covisibility", model=str(model)) == {(0, 1), (0, 2), (1, 2), (3, 5)}
    best = made(tmp_path, "covisibility", model=str(model), num_matched=1, min_points=2)
    assert best == {(0, 1), (1, 2)}
    with pytest.raises(PairsError, match="share 9 points"):
        made(tmp_path, "covisibility", model=str(model), min_points=9)


def test_a_file_of_the_users(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_pairs(tmp_path / "mine.txt", [("0.jpg", "4.jpg"), ("0.jpg", "9.jpg")])
    assert made(tmp_path, "file", path=str(tmp_path / "mine.txt")) == {(0, 4)}
    assert "1 of 2 pairs name other images" in caplog.text
    with pytest.raises(PairsError, match="none of its 2 pairs"):
        made(tmp_path, "file", ["a.jpg", "b.jpg"], path=str(tmp_path / "mine.txt"))


def test_several_strategies_say_how_each_pair_came(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    photos_on_a_line(tmp_path, [0, 100, 220, 1000, 1050, 2000])
    with caplog.at_level(logging.INFO):
        found = made(
            tmp_path,
            "spatial+sequential",
            neighbors=1,
            overlap=1,
            sequential={"quadratic": False},
        )
    assert found == {(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)}
    origins = read_origins(tmp_path / "p.txt")
    assert origins[("0.jpg", "1.jpg")] == "spatial,sequential"
    assert origins[("2.jpg", "3.jpg")] == "sequential"
    assert "spatial: 4 pairs" in caplog.text
    assert "33% of all" in caplog.text
    made(tmp_path, "exhaustive")  # one strategy needs no such file, and a stale one would lie
    assert not origins_path(tmp_path / "p.txt").exists()


@pytest.mark.parametrize("option", ["neighbours", "poses.neighbors"])
def test_an_option_that_no_strategy_has_is_refused(tmp_path: Path, option: str) -> None:
    with pytest.raises(ConfigError, match=r"unknown option .*spatial: .*neighbors"):
        made(tmp_path, "spatial+sequential", **{option: 1})
