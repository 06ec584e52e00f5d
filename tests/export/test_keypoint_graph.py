"""The twin with fixed shapes chooses the points that the detector chooses."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from blobs import grid
from torch import Tensor

from dad_sfm.detectors.dad.loaders import load_DaDNano
from dad_sfm.export.keypoint_graph import NO_POINT, KeypointGraph
from dad_sfm.models.imagenet import normalize


def texture(H: int, W: int) -> Tensor:
    """1×3×H×W in [0, 1]: waves of several lengths, with many maxima and no ties."""
    x, y = (values.float() for values in grid(H, W))
    waves = sum(torch.sin(x / a + 0.7 * a) * torch.cos(y / b) for a, b in ((3, 4), (5, 7), (11, 6)))
    return (0.5 + 0.16 * waves).clamp(0, 1).expand(1, 3, H, W)


@pytest.mark.parametrize("options", [{}, {"balance": 0.0}, {"remove_borders": False}])
@pytest.mark.parametrize("size", [(96, 160), (48, 64)])
def test_points_and_scores_are_the_detectors(size: tuple[int, int], options: dict) -> None:
    detector = load_DaDNano(device="cpu", outside_logit=-math.inf, **options)
    image = texture(*size)
    ((expected, scores),), _ = detector.detect_px(normalize(image), 40)
    with torch.inference_mode():
        points, found = KeypointGraph(detector)(image, 40)
    n = len(expected)
    assert n > 5
    np.testing.assert_allclose(points[:n], expected, atol=1e-3)
    np.testing.assert_allclose(found[:n], scores, rtol=1e-4)
    assert found[n:].tolist() == [NO_POINT] * (40 - n)


def test_an_image_of_any_size_is_filled_up_by_repeating_its_border() -> None:
    detector = load_DaDNano(device="cpu")
    image = texture(61, 83)
    filled = torch.nn.functional.pad(image, (0, 5, 0, 3), mode="replicate")
    expected = detector({"image": normalize(filled)})["scoremap"][0, 0, :61, :83]
    with torch.inference_mode():
        logits = KeypointGraph(detector).logits(image)
    np.testing.assert_allclose(logits, expected, atol=1e-4)


def test_a_blank_image_has_no_points() -> None:
    with torch.inference_mode():
        _, scores = KeypointGraph(load_DaDNano(device="cpu"))(torch.full((1, 3, 64, 64), 0.5), 10)
    assert scores.tolist() == [NO_POINT] * 10
