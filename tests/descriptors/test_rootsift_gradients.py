"""Maps of gradients and what is read from them: slow twins, and images of known gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from dad_sfm.descriptors.rootsift import gradients
from dad_sfm.descriptors.rootsift.gradients import gradient_map, halved
from dad_sfm.descriptors.rootsift.plugin import CELL_SIGMA, dominant_angles, sift_histograms

H, W = 40, 50


def slow_votes(grey: np.ndarray, directions: int) -> np.ndarray:
    """The definition, pixel by pixel: rows × columns × directions."""
    H, W = grey.shape
    votes = np.zeros(((H + 1) // 2, (W + 1) // 2, directions))
    for y in range(H):
        for x in range(W):
            gx = grey[y, min(x + 1, W - 1)] - grey[y, max(x - 1, 0)]
            gy = grey[min(y + 1, H - 1), x] - grey[max(y - 1, 0), x]
            at = math.atan2(gy, gx) / (2 * math.pi) * directions
            for d in range(directions):
                off = abs((at - d + directions / 2) % directions - directions / 2)
                votes[y // 2, x // 2, d] += math.hypot(gx, gy) * max(0.0, 1 - off)
    return votes


def slow_histogram(
    votes: np.ndarray, point: tuple[float, float], angle: float, side: float
) -> np.ndarray:
    """The definition for an image that is not halved: cell by cell of the patch and the map."""
    rows, columns, fine = votes.shape
    sigma = math.sqrt((CELL_SIGMA * side / 4 / 2) ** 2 - 1 / 16)
    reach = math.ceil(2.5 * sigma)
    taps = {k: math.exp(-0.5 * (k / sigma) ** 2) for k in range(-reach, reach + 1)}
    total = sum(taps.values())

    def weight(cell: int, cells: int, place: float) -> float:
        low = math.floor(place)
        near = {low: 1 - (place - low), low + 1: place - low}
        inside = [(at, share) for at, share in near.items() if 0 <= at < cells]
        return sum(share * taps.get(at - cell, 0.0) / total for at, share in inside)

    found = np.zeros((8, 4, 4))
    for i in range(4):
        for j in range(4):
            u, v = ((k - 1.5) * side / 4 for k in (j, i))
            x = point[0] + math.cos(angle) * u - math.sin(angle) * v
            y = point[1] + math.sin(angle) * u + math.cos(angle) * v
            down = [weight(row, rows, (y + 0.5) / 2 - 0.5) for row in range(rows)]
            across = [weight(column, columns, (x + 0.5) / 2 - 0.5) for column in range(columns)]
            cell = np.einsum("r,c,rcd->d", down, across, votes)
            cell *= math.exp(-0.5 * (u * u + v * v) / (side / 2) ** 2)
            for d in range(8):
                for k in range(fine):
                    off = k * 8 / fine - d - angle / (2 * math.pi) * 8
                    found[d, i, j] += cell[k] * max(0.0, 1 - abs((off + 4) % 8 - 4))
    found = np.minimum(found / np.linalg.norm(found), 0.2)
    return (found / found.sum()).ravel()


@pytest.fixture(params=[2, 32])
def _bands(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images in several bands, and in one."""
    monkeypatch.setattr(gradients, "BAND", request.param)


@pytest.mark.usefixtures("_bands")
@pytest.mark.parametrize("directions", [5, 16])
def test_votes_are_those_of_the_slow_twin(directions: int) -> None:
    grey = np.random.default_rng(0).random((9, 12), np.float32)
    found = gradient_map(torch.from_numpy(grey), 0, directions).cells
    np.testing.assert_allclose(found.numpy(), slow_votes(grey, directions), atol=1e-5)


@pytest.mark.usefixtures("_bands")
@pytest.mark.parametrize("side", [16.0, 27.0])
def test_histograms_are_those_of_the_slow_twin(side: float) -> None:
    grey = np.random.default_rng(1).random((H, W), np.float32)
    grey[:, :20] *= 0.1  # one-sided: some entries are cut at 0.2
    points, angles = [(25.0, 20.0), (20.25, 18.5), (3.0, 2.0)], [0.0, 0.7, -2.5]
    gradients = gradient_map(torch.from_numpy(grey), 0, 16)
    found = sift_histograms(gradients, torch.tensor(points), torch.tensor(angles), side)
    votes = slow_votes(grey, 16)
    slow = [slow_histogram(votes, *each, side) for each in zip(points, angles, strict=True)]
    np.testing.assert_allclose(found.numpy(), slow, atol=2e-5)


def test_sums_around_a_point_are_gaussian() -> None:
    gradients = gradient_map(torch.rand(H, W), 0, 6)
    points = torch.tensor([[20.0, 17.5], [49.0, 0.0]])
    rows, columns, _ = gradients.cells.shape
    centres = [torch.arange(n) * 2 + 0.5 for n in (columns, rows)]
    for point, found in zip(points, gradients.around(points, 5.0), strict=True):
        across, down = (
            torch.exp(-0.5 * ((at - own) / 5) ** 2) for at, own in zip(centres, point, strict=True)
        )
        expected = torch.einsum("r,c,rcd->d", down, across, gradients.cells)
        torch.testing.assert_close(found, expected, rtol=0.05, atol=0)


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("angle", [-2.9, -0.6, 0.0, 1.1, 3.0])
def test_the_dominant_angle_of_a_slope_is_its_own(angle: float, level: int) -> None:
    y, x = torch.meshgrid(torch.arange(96.0), torch.arange(130.0), indexing="ij")
    slope = 0.01 * (math.cos(angle) * x + math.sin(angle) * y)
    pyramid = [slope]
    for _ in range(level):
        pyramid.append(halved(pyramid[-1]))
    side = 16.0 * 2**level
    (found,) = dominant_angles(pyramid, torch.tensor([[65.0, 48.0]]), side)
    apart = (float(found) - angle + math.pi) % (2 * math.pi) - math.pi
    assert abs(apart) < math.radians(1.5)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (8, 10), (9, 11)])
def test_halving_rounds_up(size: tuple[int, int]) -> None:
    half = tuple((n + 1) // 2 for n in size)
    torch.testing.assert_close(halved(torch.full(size, 0.7)), torch.full(half, 0.7))


def test_halving_keeps_a_slope_where_it_was() -> None:
    y, x = torch.meshgrid(torch.arange(12.0), torch.arange(20.0), indexing="ij")
    rows, columns = torch.meshgrid(torch.arange(6.0), torch.arange(10.0), indexing="ij")
    expected = 3 * (2 * columns + 0.5) + (2 * rows + 0.5)
    inner = (slice(1, -1), slice(1, -1))
    torch.testing.assert_close(halved(3 * x + y)[inner], expected[inner])
