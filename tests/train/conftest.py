from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from megadepth_folder import write_scene
from PIL import Image, ImageDraw

from dad_sfm.synthetic import View, random_cameras, random_scene, render
from dad_sfm.synthetic.bank import render_bank
from dad_sfm.train.data.homography_pairs import photo_files
from dad_sfm.train.data.rendered_pairs import RenderedConf


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures with corners: overlapping polygons of many sizes."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for number in range(6):
        picture = Image.new("RGB", (220, 200), tuple(rng.integers(60, 200, 3)))
        draw = ImageDraw.Draw(picture)
        for _ in range(60):
            centre = rng.uniform(0, 220, 2)
            corners = centre + rng.normal(0, rng.uniform(8, 30), (4, 2))
            draw.polygon([tuple(c) for c in corners], fill=tuple(rng.integers(0, 256, 3)))
        picture.save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="session")
def views() -> list[View]:
    """Three views of a rendered scene, 160×120; they overlap and hide parts from each other."""
    scene = random_scene(11, relief=False)
    cameras = random_cameras(scene, 11, 3, size=(160, 120), overlap=0.4)
    return [render(scene, camera, seed=i) for i, camera in enumerate(cameras)]


@pytest.fixture(scope="session")
def megadepth(views: list[View], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in MegaDepth's layout with one scene of those views."""
    root = tmp_path_factory.mktemp("megadepth")
    write_scene(root, "0001", views)
    return root


@pytest.fixture(scope="session")
def bank(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> RenderedConf:
    """A rendered bank of three scenes with those photos, and the configuration that reads it.

    Without what 96 pixels are too few for, and in one light, so that views can be compared.
    """
    folder = str(tmp_path_factory.mktemp("bank"))
    conf = RenderedConf(size=96, batch=4, scenes=3, views=3, relief=False, days=0.0, bank=folder)
    textures = photo_files([photos])
    render_bank(conf.bank, conf.bank_conf, scenes=conf.scenes, textures=textures, workers=0)
    return conf


@pytest.fixture
def one_thread() -> Iterator[None]:
    """For comparisons to the last bit (other numbers of threads round otherwise), and for speed
    where tensors are small."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
