import numpy as np
import pytest
from PIL import Image

from dad_sfm.core.types import Features
from dad_sfm.evaluation.polarity import contrast, light_shares
from dad_sfm.io.store import FeatureWriter


def spots(H: int, W: int, light: tuple[int, int], dark: tuple[int, int]) -> np.ndarray:
    """H×W grey with a light and a dark spot at (x, y)."""
    y, x = np.mgrid[:H, :W]
    grey = np.full((H, W), 128.0)
    for (px, py), sign in ((light, 1), (dark, -1)):
        grey += sign * 90 * np.exp(-((x - px) ** 2 + (y - py) ** 2) / 8)
    return grey


def test_contrast_is_the_sign_of_a_spot():
    places = np.array([[30, 40.2], [90.3, 40], [60, 9]])
    light, dark, nothing = contrast(spots(80, 120, (30, 40), (90, 40)), places)
    assert light > 1
    assert dark < -1
    assert nothing == pytest.approx(0, abs=0.1)


def test_a_flat_border_has_no_contrast():
    assert contrast(np.full((40, 60), 77.0), np.array([[0.0, 0], [59, 39]])) == pytest.approx(0)


def test_share_of_the_best_points_in_files(tmp_path):
    light, dark = (30, 40), (90, 40)
    Image.fromarray(spots(80, 120, light, dark).astype(np.uint8)).save(tmp_path / "a.png")
    points = np.array([dark, light, light, light], np.float32)
    scores = np.array([0.1, 0.9, 0.8, 0.7], np.float32)
    nothing = Features(np.zeros((0, 2), np.float32), np.zeros(0, np.float32), (120, 80))
    with FeatureWriter(tmp_path / "f.h5", {}) as writer:
        writer.write("a.png", Features(points, scores, (120, 80)))
        writer.write("b.png", nothing)
    names = ["a.png", "b.png"]
    assert light_shares(tmp_path / "f.h5", tmp_path, names, budgets=[2, 4]) == [1.0, 0.75]
    assert np.isnan(light_shares(tmp_path / "f.h5", tmp_path, ["b.png"], budgets=[4])).all()
