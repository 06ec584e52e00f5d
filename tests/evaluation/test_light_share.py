import numpy as np
import pytest
from PIL import Image

from dad_sfm.evaluation.polarity import contrast, light_keypoints


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


def test_which_points_of_a_photo_are_light(tmp_path):
    light, dark = (30, 40), (90, 40)
    Image.fromarray(spots(80, 120, light, dark).astype(np.uint8)).save(tmp_path / "a.png")
    found = light_keypoints(tmp_path / "a.png", np.array([light, dark, light], float))
    assert found.tolist() == [True, False, True]
