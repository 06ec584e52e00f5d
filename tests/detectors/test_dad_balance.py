"""Keypoints chosen for how strong they are in their neighbourhood."""

from __future__ import annotations

import functools
import math

import pytest
import torch
from torch import Tensor

from dad_sfm import load_DaDNano
from dad_sfm.core.config import ConfigError
from dad_sfm.detectors.dad.balance import SIGMA as SIGMA_SHARE
from dad_sfm.detectors.dad.balance import (
    WEIGHED,
    balanced_keypoints,
    crowding,
    pairs_within,
    peaks_needed,
)
from dad_sfm.detectors.dad.detector import BORDER
from dad_sfm.models.imagenet import normalize
from dad_sfm.models.score_maps import nms, remove_borders, top_keypoints
from dad_sfm.synthetic import random_cameras, random_scene, render

SIZE = (320, 192)  # W, H
SIGMA = SIGMA_SHARE * 320


def balanced(scores: Tensor, number: int, balance: float, border: int = 0) -> tuple[Tensor, Tensor]:
    """`balanced_keypoints` of a H×W map of peaks."""
    H, W = scores.shape
    (found,) = top_keypoints(scores[None], max(number, WEIGHED))
    return balanced_keypoints(found, number, balance, size=(W, H), border=border)


def slow_crowding(points: Tensor, scores: Tensor, border: int) -> list[float]:
    """The definition, point by point; the share inside by summing up a fine grid."""
    found = []
    places, heights = points.tolist(), scores.tolist()
    steps = torch.arange(-6 * SIGMA, 6 * SIGMA, 0.01, dtype=torch.float64)
    below = torch.exp(-(steps**2) / (2 * SIGMA**2)).cumsum(dim=0)
    below /= below[-1].clone()
    for i, (x, y) in enumerate(places):
        others = 0.0
        for j, (u, v) in enumerate(places):
            near = math.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * SIGMA**2))
            others += (i != j) * near * min(1.0, heights[j] / heights[i])
        inside = 1.0
        for start, length in ((x, SIZE[0]), (y, SIZE[1])):
            ends = torch.tensor([border - 0.5 - start, length - border - 0.5 - start])
            low, high = torch.searchsorted(steps, ends.double()).clamp(max=len(steps) - 1)
            inside *= float(below[high] - below[low])
        found.append(1 + others / inside)
    return found


def peaks(number: int, seed: int = 0) -> Tensor:
    """A map 1×H×W with about so many peaks of all heights."""
    torch.manual_seed(seed)
    W, H = SIZE
    return nms(torch.rand(1, H, W) * (torch.rand(1, H, W) < number / (W * H)), 3)


@pytest.mark.parametrize("border", [0, 4])
def test_crowding_is_the_definition(border: int) -> None:
    ((points, scores),) = top_keypoints(remove_borders(peaks(700), border), 1000)
    assert len(points) > 512  # more than two pieces
    expected = torch.tensor(slow_crowding(points, scores, border))
    torch.testing.assert_close(crowding(points, scores, SIZE, border), expected, rtol=2e-3, atol=0)


def test_the_border_is_as_crowded_as_the_middle() -> None:
    """Of points everywhere but in the outer 4 px, which else would count as empty."""
    W, H = SIZE
    x, y = torch.meshgrid(torch.arange(4, W - 4, 2), torch.arange(4, H - 4, 2), indexing="xy")
    points = torch.stack([x, y], dim=-1).flatten(0, 1)

    def corner_to_middle(border: int) -> float:
        crowded = crowding(points, torch.ones(len(points)), SIZE, border).view(x.shape)
        return float(crowded[0, 0] / crowded[H // 4, W // 4])

    assert 0.85 < corner_to_middle(4) < 1.15
    assert corner_to_middle(0) < 0.7


@pytest.mark.parametrize("x", [0, 160, 319])
def test_who_is_alone_is_not_crowded(x: int) -> None:
    points = torch.tensor([[x, 0], [80, 190]])
    assert crowding(points, torch.tensor([0.1, 0.9]), SIZE).tolist() == [1.0, 1.0]
    assert crowding(points[:0], torch.zeros(0), SIZE).tolist() == []


def test_the_weak_crowd_the_strong_less_than_the_other_way_round() -> None:
    strong, weak = crowding(torch.tensor([[100, 90], [103, 90]]), torch.tensor([0.8, 0.1]), SIZE)
    assert 1 < strong < 1.125
    assert weak > 1.75


def test_no_balance_is_the_order_of_scores() -> None:
    for a, b in zip(
        balanced(peaks(300)[0], 100, 0.0), top_keypoints(peaks(300), 100)[0], strict=True
    ):
        assert torch.equal(a, b)


def test_a_heap_does_not_take_all_points() -> None:
    torch.manual_seed(0)
    scores = torch.zeros(1, 192, 320)
    scores[0, 80:110:3, 80:110:3] = 0.9 + 0.1 * torch.rand(10, 10)
    alone = [[200, 30], [250, 100], [300, 160]]
    for x, y in alone:
        scores[0, y, x] = 0.5
    assert not any(point in top_keypoints(scores, 20)[0][0].tolist() for point in alone)
    points, best = balanced(scores[0], 20, 1.0)
    assert all(point in points.tolist() for point in alone)
    assert (best.diff() <= 0).all()
    assert best.max() <= 1


def test_fewer_points_are_the_first_of_more() -> None:
    torch.manual_seed(0)
    scores = nms(torch.rand(1, 480, 640), 3)
    asked = (200, 1500, 4500, 6000)
    found = [balanced(scores[0], number, 1.0) for number in asked]
    every, _ = found[-1]
    assert len(every) == 6000
    assert len(torch.unique(every, dim=0)) == 6000
    for number, (points, best) in zip(asked, found, strict=True):
        assert torch.equal(points, every[:number])
        assert (best.diff() <= 0).all()
        assert (best > 0).all()


@pytest.mark.slow
def test_each_image_of_a_batch_alone() -> None:
    detector = load_DaDNano(device="cpu", balance=1.0)
    images = normalize(torch.stack([picture(3), torch.full((3, 256, 320), 0.5), picture(4)]))
    found, _ = detector.detect_px(images, 50)
    assert [len(points) for points, _ in found] == [50, 0, 50]
    for image, (points, best) in zip(images, found, strict=True):
        ((alone, best_alone),), _ = detector.detect_px(image[None], 50)
        torch.testing.assert_close(points, alone, atol=1e-3, rtol=0)
        torch.testing.assert_close(best, best_alone)


@pytest.mark.parametrize("far", [0.5, 7.0, 500.0])
def test_all_pairs_that_are_near_come_once(far: float) -> None:
    generator = torch.Generator().manual_seed(0)
    points = torch.randint(0, 60, (150, 2), generator=generator)  # some coincide
    order, first, second = pairs_within(points, far)
    i, j = order[first], order[second]
    pairs = [tuple(sorted(pair)) for pair in zip(i.tolist(), j.tolist(), strict=True)]
    assert len(set(pairs)) == len(pairs)
    assert all(a < b for a, b in pairs)
    near = (points[:, None] - points[None]).double().norm(dim=2) <= far
    assert {(a, b) for a, b in near.nonzero().tolist() if a < b} <= set(pairs)
    rows_apart = ((points[i] - points[j])[:, 1]).abs().max()
    assert rows_apart <= 2 * far


def test_few_points_need_all_the_peaks_that_are_weighed() -> None:
    assert peaks_needed(10, 1.0) == WEIGHED
    assert peaks_needed(WEIGHED + 1, 1.0) == WEIGHED + 1
    assert peaks_needed(10, 0.0) == 10
    assert peaks_needed(0, 1.0) == 0


def test_other_numbers_are_refused() -> None:
    for balance in (-1.0, math.inf, math.nan):
        with pytest.raises(ConfigError, match="balance"):
            load_DaDNano(device="cpu", balance=balance)
    with pytest.raises(ValueError, match="negative"):
        load_DaDNano(device="cpu", balance=1.0).detect_px(torch.rand(1, 3, 64, 64), -1)


@pytest.mark.parametrize("borders", [True, False])
def test_a_detector_balances_within_its_border(borders: bool) -> None:
    image = normalize(picture(5))[None]
    detector = load_DaDNano(device="cpu", balance=1.0, remove_borders=borders, subpixel=False)
    ((points, best),), probs = detector.detect_px(image, 80)
    border = BORDER if borders else 0
    scores = remove_borders(nms(probs, detector.nms_size), border)
    expected, expected_best = balanced(scores[0], 80, 1.0, border)
    assert torch.equal(points.long(), expected)
    assert torch.equal(best, expected_best)
    _, other = balanced(scores[0], 80, 1.0, BORDER - border)
    assert not torch.equal(best, other)


def test_the_points_of_a_picture_cover_more_of_it() -> None:
    def cells(balance: float) -> int:
        detector = load_DaDNano(device="cpu", balance=balance)
        found = [detector.detect_px(normalize(picture(seed))[None], 80)[0][0] for seed in (3, 4, 5)]
        return sum(len(torch.unique((points / 32).floor(), dim=0)) for points, _ in found)

    assert cells(1.0) > cells(0.0)


@functools.cache
def picture(seed: int) -> Tensor:
    """3×256×320 in [0, 1]."""
    scene = random_scene(seed, relief=False)
    (camera,) = random_cameras(scene, seed, 1, size=(320, 256))
    return torch.from_numpy(render(scene, camera).rgb.copy()).permute(2, 0, 1) / 255
