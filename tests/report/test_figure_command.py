"""``dad-sfm figure`` on a photo."""

import numpy as np
import pytest
from PIL import Image

from dad_sfm import cli


@pytest.fixture
def photo(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "photo.png"
    Image.fromarray(rng.integers(0, 255, (12, 16), np.uint8)).resize((160, 120)).save(path)
    return path


def test_keypoints_by_polarity(photo, tmp_path):
    picture = tmp_path / "new" / "k.png"
    line = ["figure", "keypoints", str(photo), str(picture), "--features", "sift", "--light-dark"]
    assert cli.main(line) == 0
    colours = {c for _, c in Image.open(picture).getcolors(1 << 20)}
    assert {(255, 170, 40), (70, 150, 255)} <= colours


@pytest.mark.slow
def test_probabilities(photo, tmp_path):
    picture = tmp_path / "p.png"
    line = ["figure", "probabilities", str(photo), str(picture), "--device", "cpu"]
    assert cli.main(line) == 0
    assert Image.open(picture).getextrema()[1] == 255
    assert cli.main([*line, "--overlay"]) == 0
    assert Image.open(picture).size == (160, 120)


def test_a_detector_without_probabilities(photo, tmp_path, capsys):
    line = ["figure", "probabilities", str(photo), str(tmp_path / "p.png"), "--features", "sift"]
    assert cli.main(line) == cli.USER_ERROR
    assert "sift has no map" in capsys.readouterr().err
