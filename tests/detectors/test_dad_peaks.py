"""The peaks of a map from a list of maxima: those of the dense, readable twin, bit for bit."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from dad_sfm.detectors.dad import peaks
from dad_sfm.detectors.dad.peaks import strongest_peaks
from dad_sfm.models.score_maps import nms, remove_borders, top_keypoints


def twin(scores: Tensor, size: int, number: int, border: int) -> list[tuple[Tensor, Tensor]]:
    return top_keypoints(remove_borders(nms(scores, size), border), number)


def assert_like_the_twin(scores: Tensor, size: int, number: int, border: int) -> None:
    found = strongest_peaks(scores, size, number, border=border)
    expected = twin(scores, size, number, border)
    assert len(found) == len(expected)
    for (points, best), (its_points, its_best) in zip(found, expected, strict=True):
        assert torch.equal(points, its_points)
        assert torch.equal(best, its_best)


def maps(levels: int | None) -> Tensor:
    """Three maps; with few ``levels`` nearly all of their maxima are tied."""
    scores = torch.rand(3, 47, 61, generator=torch.Generator().manual_seed(0))
    return scores if levels is None else (scores * levels).round() / levels


@pytest.mark.parametrize("levels", [None, 300, 20, 2])
@pytest.mark.parametrize("size", [1, 3, 7, 9])
@pytest.mark.parametrize("border", [0, 4, 23, 40])
def test_like_the_twin(levels: int | None, size: int, border: int) -> None:
    assert_like_the_twin(maps(levels), size, 200, border)
    assert_like_the_twin(maps(levels), size, 10_000, border)


@pytest.mark.parametrize("limit", [0, 5])
def test_many_ties_are_the_twins(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(peaks, "MOST_TIED", limit)
    assert_like_the_twin(maps(20), 5, 200, 2)


@pytest.mark.parametrize("levels", [None, 2])
def test_masked_peaks_leave_their_place_to_the_next_best(levels: int | None) -> None:
    scores = maps(levels)
    masks = torch.ones_like(scores, dtype=torch.bool)
    masks[:, 20:, 30:] = False
    found = strongest_peaks(scores, 3, 50, border=2, masks=masks)
    for image, mask, (points, best) in zip(scores, masks, found, strict=True):
        ((every, its_best),) = twin(image[None], 3, 10_000, 2)
        inside = mask[every[:, 1], every[:, 0]]
        assert torch.equal(points, every[inside][:50])
        assert torch.equal(best, its_best[inside][:50])


@pytest.mark.parametrize("value", [0.0, 0.25])
def test_a_blank_map_has_no_peak(value: float) -> None:
    ((points, best),) = strongest_peaks(torch.full((1, 40, 50), value), 5, 10)
    assert points.shape == (0, 2)
    assert best.shape == (0,)


def test_a_maximum_in_the_border_still_holds_its_neighbours_down() -> None:
    scores = torch.zeros(1, 20, 20)
    scores[0, 10, 3], scores[0, 10, 5], scores[0, 10, 15] = 0.9, 0.5, 0.4
    ((points, _),) = strongest_peaks(scores, 7, 10, border=4)
    assert points.tolist() == [[15, 10]]


def test_mistakes_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        strongest_peaks(maps(None), 3, -1)
    with pytest.raises(ValueError, match="odd"):
        strongest_peaks(maps(None), 4, 10)
