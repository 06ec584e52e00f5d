"""Sampling: checked against slow, readable twins and on maps whose peaks are known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from dad_sfm.models.score_maps import nms, refine_subpixel, remove_borders, top_keypoints


def slow_nms(scores: Tensor, size: int) -> Tensor:
    """The definition, for maps without ties."""
    kept, r = torch.zeros_like(scores), size // 2
    H, W = scores.shape
    for y in range(H):
        for x in range(W):
            window = scores[max(y - r, 0) : y + r + 1, max(x - r, 0) : x + r + 1]
            if scores[y, x] == window.max():
                kept[y, x] = scores[y, x]
    return kept


@pytest.mark.parametrize("size", [1, 3, 5, 9])
def test_nms_is_the_definition(size: int) -> None:
    scores = torch.rand(2, 21, 34)
    expected = torch.stack([slow_nms(image, size) for image in scores])
    assert torch.equal(nms(scores, size), expected)


@pytest.mark.parametrize("size", [0, 2, -3])
def test_nms_wants_an_odd_window(size: int) -> None:
    with pytest.raises(ValueError, match="odd"):
        nms(torch.rand(1, 8, 8), size)


@pytest.mark.parametrize("size", [3, 7])
@pytest.mark.parametrize("value", [0.0, 0.25])
def test_blank_map_has_no_peak(size: int, value: float) -> None:
    assert nms(torch.full((1, 40, 30), value), size).count_nonzero() == 0


def plateau(shape: str) -> Tensor:
    y, x = torch.meshgrid(torch.arange(40.0) - 20, torch.arange(40.0) - 20, indexing="ij")
    inside = {
        "pixel": (x == 0) & (y == 0),
        "two pixels": (x.abs() < 1) & (y >= 0) & (y < 2),
        "line": (y == 0) & (x.abs() < 6),
        "square": (x.abs() < 6) & (y.abs() < 6),
        "disc": x**2 + y**2 < 90,
        "half of the image": x > 0,
    }
    return torch.where(inside[shape], 1.0, 0.1 * torch.rand(40, 40))[None]


@pytest.mark.parametrize("size", [3, 7])
@pytest.mark.parametrize("shape", ["pixel", "two pixels", "line", "square", "disc"])
def test_plateau_gives_one_point_or_none(shape: str, size: int) -> None:
    peaks = nms(plateau(shape), size) == 1
    assert peaks.sum() <= 1
    if shape in ("pixel", "two pixels"):
        assert peaks.sum() == 1


def test_large_plateau_gives_no_point() -> None:
    assert not (nms(plateau("half of the image"), 3) == 1).any()


def test_nms_passes_the_gradient_of_the_peaks() -> None:
    scores = torch.rand(1, 9, 9, requires_grad=True)
    nms(scores, 3).sum().backward()
    assert scores.grad is not None
    assert torch.equal(scores.grad, (nms(scores, 3) > 0).float())


@pytest.mark.parametrize("border", [0, 1, 4, 30])
def test_remove_borders(border: int) -> None:
    kept = remove_borders(torch.ones(2, 12, 20), border)
    inner = max(12 - 2 * border, 0) * max(20 - 2 * border, 0)
    assert kept.shape == (2, 12, 20)
    assert kept.sum() == 2 * inner
    assert not inner or kept[0, border : -border or None, border : -border or None].all()


def test_top_keypoints_are_sorted_and_true_maxima() -> None:
    scores = torch.zeros(2, 6, 8)
    scores[0, 2, 7], scores[0, 5, 0], scores[0, 1, 1] = 0.5, 0.9, 0.1
    (points, best), (none, no_scores) = top_keypoints(scores, 1000)
    assert points.tolist() == [[0, 5], [7, 2], [1, 1]]
    assert best.tolist() == pytest.approx([0.9, 0.5, 0.1])
    assert none.shape == (0, 2)
    assert no_scores.shape == (0,)
    assert top_keypoints(scores, 2)[0][0].tolist() == [[0, 5], [7, 2]]
    assert top_keypoints(scores, 0)[0][0].shape == (0, 2)
    with pytest.raises(ValueError, match="negative"):
        top_keypoints(scores, -1)


def test_refinement_finds_the_top_of_a_bell() -> None:
    x, y = 10.3, 6.8
    grid_y, grid_x = torch.meshgrid(torch.arange(14.0), torch.arange(20.0), indexing="ij")
    # Of a bell of logits / temperature with sigma 0.7, the 3×3 window holds nearly everything.
    logits = -((grid_x - x) ** 2 + (grid_y - y) ** 2) / (2 * 0.7**2) * 0.5
    refined = refine_subpixel(logits, torch.tensor([[10, 7]]), temperature=0.5)
    torch.testing.assert_close(refined, torch.tensor([[x, y]]), atol=0.06, rtol=0)


def test_refinement_does_not_leave_the_image() -> None:
    corners = torch.tensor([[0, 0], [7, 0], [0, 5], [7, 5]])
    refined = refine_subpixel(torch.full((6, 8), -50.0), corners, temperature=0.5)
    torch.testing.assert_close(
        refined, torch.tensor([[0.5, 0.5], [6.5, 0.5], [0.5, 4.5], [6.5, 4.5]])
    )
    drawn_out = refine_subpixel(torch.full((6, 8), -50.0), corners, 0.5, outside=0.0)
    assert (drawn_out[0] < 0).all()


def test_refinement_is_batched_and_differentiable() -> None:
    logits = torch.randn(2, 6, 7, dtype=torch.float64, requires_grad=True)
    points = torch.tensor([[[3, 2], [0, 0]], [[6, 5], [1, 4]]])
    batched = refine_subpixel(logits, points, 0.7, window=5)
    for b in range(2):
        single = refine_subpixel(logits[b], points[b], 0.7, window=5)
        torch.testing.assert_close(batched[b], single)
    assert torch.autograd.gradcheck(lambda z: refine_subpixel(z, points, 0.7), logits)
    assert refine_subpixel(logits[0], torch.zeros(0, 2, dtype=torch.long), 0.5).shape == (0, 2)
