"""Pictures: dots and lines are where the points are, and the rest of the photo is left alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dad_sfm import visualize_keypoints
from dad_sfm.detectors.dad import DaDDetector
from dad_sfm.models.dad import DaD
from dad_sfm.report.drawing import (
    BLUE,
    GREEN,
    RED,
    WARM,
    YELLOW,
    draw_keypoints,
    draw_light_and_dark,
    draw_matches,
    draw_probabilities,
    overlay_probabilities,
)

GREY = (90, 90, 90)


def photo(W: int = 400, H: int = 300) -> Image.Image:
    return Image.new("RGB", (W, H), GREY)


def changed(picture: Image.Image) -> np.ndarray:
    """(x, y) of the pixels that are no longer grey, N×2."""
    y, x = np.nonzero((np.asarray(picture) != GREY).any(axis=2))
    return np.stack([x, y], axis=1)


def test_dots_are_bright_rimmed_and_centred() -> None:
    picture = draw_keypoints(photo(), np.array([[200.0, 150.0]]), radius=4)
    assert picture.getpixel((200, 150)) == YELLOW
    drawn = changed(picture)
    np.testing.assert_allclose(drawn.mean(axis=0), [200, 150], atol=0.01)
    assert 4 < np.abs(drawn - [200, 150]).max() <= 7
    rim = np.asarray(picture)[150, 195]
    assert rim.max() < 60


def test_dots_grow_with_the_image() -> None:
    areas = [
        len(changed(draw_keypoints(photo(W, W), np.array([[W / 2, W / 2]])))) for W in (400, 1600)
    ]
    assert 4 < areas[1] / areas[0] < 16


def test_points_at_and_beyond_the_border() -> None:
    points = np.array([[0.0, 0.0], [399.0, 299.0], [-2.0, 100.0], [-50.0, -50.0]])
    picture = draw_keypoints(photo(), points)
    assert picture.getpixel((0, 0)) == YELLOW
    assert picture.getpixel((399, 299)) == YELLOW
    assert not len(changed(draw_keypoints(photo(), np.zeros((0, 2)))))


def test_image_given_is_not_drawn_on() -> None:
    image = photo()
    draw_keypoints(image, np.array([[10.0, 10.0]]))
    draw_matches(image, image, np.array([[10.0, 10.0]]), np.array([[10.0, 10.0]]))
    assert not len(changed(image))


def test_matches_join_the_points() -> None:
    picture = draw_matches(
        photo(), photo(200, 100), np.array([[100.0, 50.0]]), np.array([[20.0, 50.0]])
    )
    offset = picture.width - 200
    assert picture.height == 300
    row = np.asarray(picture)[50].astype(int)
    line = row[105 : offset + 15]
    assert (np.abs(line - GREY).max(axis=1) > 30).all()
    others = changed(picture.crop((0, 0, 400, 300)))
    assert np.abs(others[:, 1] - 50).max() <= 4
    assert others[:, 0].min() >= 100 - 4


def test_inliers_are_green_on_top_of_red() -> None:
    points = np.array([[100.0, 50.0], [100.0, 50.0]])
    for inliers, colour in (([True, False], GREEN), ([False, False], RED)):
        picture = draw_matches(photo(), photo(), points, points, inliers=np.array(inliers))
        assert picture.getpixel((100, 50)) == colour


def test_large_images_are_reduced() -> None:
    picture = draw_matches(
        photo(800, 600),
        photo(100, 80),
        np.array([[399.5, 299.5]]),
        np.array([[50.0, 40.0]]),
        resize_max=200,
    )
    assert picture.height == 150
    assert np.abs(np.array(picture.getpixel((99, 74))) - GREY).max() > 60


def test_counts_must_agree() -> None:
    with pytest.raises(ValueError, match="differ in number"):
        draw_matches(photo(), photo(), np.zeros((2, 2)), np.zeros((3, 2)))
    assert draw_matches(photo(), photo(), np.zeros((0, 2)), np.zeros((0, 2))).height == 300


def test_probabilities_span_black_to_white() -> None:
    picture = np.asarray(draw_probabilities(np.array([[0.0, 1e-6], [1e-4, 1e-2]])))
    assert picture.dtype == np.uint8
    assert picture[0, 0] == 0
    assert picture[1, 1] == 255
    assert 0 < picture[0, 1] < picture[1, 0] < 255
    assert not np.asarray(draw_probabilities(np.zeros((2, 2)))).any()


def test_visualize_keypoints(tmp_path: Path) -> None:
    torch.manual_seed(0)
    pixels = np.random.RandomState(0).randint(0, 255, (90, 120, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    detector = DaDDetector(DaD(), resize=64, device="cpu")
    vis_path = tmp_path / "vis/a.png"
    visualize_keypoints(tmp_path / "a.png", vis_path, detector, num_keypoints=10)
    with Image.open(vis_path) as picture:
        assert picture.size == (120, 90)
        assert (np.asarray(picture) == YELLOW).all(axis=2).sum() > 10
    with Image.open(tmp_path / "vis/a_dense_probs.png") as probs:
        assert probs.size == (64, 48)


def test_light_points_are_warm_and_dark_ones_blue() -> None:
    points = np.array([[100.0, 100.0], [300.0, 200.0]])
    picture = draw_light_and_dark(photo(), points, np.array([True, False]), radius=4)
    assert picture.getpixel((100, 100)) == WARM
    assert picture.getpixel((300, 200)) == BLUE


def test_probabilities_over_a_photo_of_another_size() -> None:
    probs = np.zeros((30, 40), np.float32)
    probs[10, 20] = 1
    picture = overlay_probabilities(photo(), probs)
    assert picture.size == (400, 300)
    assert picture.getpixel((10, 10)) == (54, 54, 54)  # 0.6 of the photo's grey
    red, _, blue = picture.getpixel((204, 104))
    assert red > 150
    assert blue < 90
