"""The scripts in the README of the original package, with ``import dad_sfm as dad``."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest
import torch
from dot_pictures import SIZE, save

import dad_sfm as dad
from dad_sfm.core.config import ConfigError


@pytest.fixture(scope="module")
def detector() -> torch.nn.Module:
    torch.manual_seed(0)
    return dad.load_DaD(resize=128, pretrained=False, device="cpu")


def test_detect_and_convert(detector: torch.nn.Module, tmp_path: Path) -> None:
    path = save(tmp_path / "a.png")
    W, H = SIZE
    found = detector.detect_from_path(im_path=path, num_keypoints=12, return_dense_probs=True)
    assert found["keypoints"].shape == (1, 12, 2)
    assert found["keypoint_probs"].shape == (1, 12)
    assert found["dense_probs"].shape == (1, 88, 128)  # 95.6 rows, floored to a multiple of 8
    pixels = detector.to_pixel_coords(found["keypoints"], h=H, w=W)
    expected = (found["keypoints"].numpy() + 1) / 2 * [W, H]
    np.testing.assert_allclose(pixels, expected, atol=1e-3)
    back = detector.to_normalized_coords(pixel_coords=pixels, h=H, w=W)
    np.testing.assert_allclose(back, found["keypoints"], atol=1e-6)
    np.testing.assert_array_equal(dad.utils.to_pixel_coords(found["keypoints"], H, W), pixels)


def test_visualize(detector: torch.nn.Module, tmp_path: Path) -> None:
    from dad_sfm.utils import visualize_keypoints

    assert dad.utils.visualize_keypoints is visualize_keypoints
    path = save(tmp_path / "a.png")
    visualize_keypoints(path, tmp_path / "vis" / "a.png", detector, num_keypoints=12)
    names = sorted(p.name for p in (tmp_path / "vis").iterdir())
    assert names == ["a.png", "a_dense_probs.png"]


def test_a_batch_and_a_pair_of_batches(detector: torch.nn.Module, tmp_path: Path) -> None:
    image = detector.load_image(save(tmp_path / "a.png"), device="cpu")["image"]
    found = detector.detect({"image": torch.cat([image, image])}, num_keypoints=8)
    np.testing.assert_array_equal(found["keypoints"][0], found["keypoints"][1])
    scoremap = detector({"im_A": image, "im_B": image})["scoremap"]
    assert scoremap.shape == (2, 1, 88, 128)


def test_parameters_and_attributes_are_the_originals(detector: torch.nn.Module) -> None:
    names = (
        *("resize", "nms_size", "remove_borders"),
        *("increase_coverage", "coverage_pow", "coverage_size"),
        *("subpixel", "subpixel_temp", "keep_aspect_ratio"),
    )
    parameters = inspect.signature(dad.load_DaD).parameters
    assert tuple(parameters)[:11] == (*names, "pretrained", "weights_path")
    for name in names:
        expected = 128 if name == "resize" else parameters[name].default
        assert getattr(detector, name) == expected
    assert detector.topleft == 0.5
    with pytest.raises(ConfigError, match="balance"):
        dad.load_DaD(increase_coverage=True, pretrained=False)
