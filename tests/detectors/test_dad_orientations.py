"""The mean of a network's answers over mirrored and turned copies of an image."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from dad_sfm import load_DaDNano
from dad_sfm.core.config import ConfigError
from dad_sfm.detectors import DETECTORS
from dad_sfm.models.imagenet import normalize
from dad_sfm.synthetic import random_cameras, random_scene, render


@pytest.fixture(scope="module")
def image() -> Tensor:
    """A view of a rendered scene, 3×128×160 in [0, 1]."""
    scene = random_scene(3, relief=False)
    (camera,) = random_cameras(scene, 3, 1, size=(160, 128))
    return torch.from_numpy(render(scene, camera).rgb.copy()).permute(2, 0, 1) / 255


def logits(image: Tensor, orientations: int) -> Tensor:
    detector = load_DaDNano(device="cpu", orientations=orientations)
    return detector({"image": normalize(image)[None]})["scoremap"][0, 0]


@pytest.mark.parametrize(
    ("orientations", "turns", "mirrored"),
    [(2, 0, True), (4, 2, False), (4, 2, True), (8, 1, False), (8, 3, True)],
)
def test_the_answer_turns_with_the_image(
    image: Tensor, orientations: int, turns: int, mirrored: bool
) -> None:
    def turned(maps: Tensor) -> Tensor:
        maps = maps.rot90(turns, (-2, -1))
        return maps.flip(-1) if mirrored else maps

    expected = turned(logits(image, orientations))
    error = (logits(turned(image), orientations) - expected).abs().max()
    alone = (logits(turned(image), 1) - turned(logits(image, 1))).abs().max()
    assert error < 1e-3
    assert alone > 100 * error


def test_one_orientation_is_the_network_itself(image: Tensor) -> None:
    detector = load_DaDNano(device="cpu")
    with torch.inference_mode():
        found = detector.network(normalize(image)[None])[0, 0]
    torch.testing.assert_close(logits(image, 1), found, rtol=0, atol=1e-3)


def test_other_numbers_are_refused() -> None:
    with pytest.raises(ConfigError, match="3 is not one of 1, 2, 4, 8"):
        load_DaDNano(device="cpu", orientations=3)
    with pytest.raises(ConfigError, match="orientations"):
        DETECTORS.conf({"name": "dad-nano", "orientations": 3})
