"""RootSIFT: what it samples, and what it does and does not notice."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from dad_sfm.core.config import ConfigError
from dad_sfm.descriptors import DESCRIPTORS
from dad_sfm.descriptors.rootsift import PATCH_SIZE, sample_patches, sift_histograms

H, W = 120, 150


@pytest.fixture(scope="module")
def image() -> Tensor:
    """Smooth random texture."""
    coarse = torch.rand(1, 3, 24, 30, generator=torch.Generator().manual_seed(0))
    return interpolate(coarse, size=(H, W), mode="bicubic").clamp(0, 1)[0]


@pytest.fixture(scope="module")
def points() -> Tensor:
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.uniform((40, 40), (W - 41, H - 41), (60, 2)).astype(np.float32))


def make(**options: object):
    return DESCRIPTORS.make({"name": "rootsift", **options})


def turned(points_px: Tensor, *, W: int) -> Tensor:
    """Where points go when `torch.rot90` turns their image: the top right corner to the left."""
    return torch.stack([points_px[:, 1], W - 1 - points_px[:, 0]], dim=1)


# --------------------------------------------------------------------------------- patches
def slow_patch(grey: np.ndarray, point: np.ndarray, angle: float, side: float) -> np.ndarray:
    """The definition, sample by sample."""
    patch = np.empty((PATCH_SIZE, PATCH_SIZE))
    step = side / PATCH_SIZE
    for row in range(PATCH_SIZE):
        for column in range(PATCH_SIZE):
            u, v = ((i + 0.5) * step - side / 2 for i in (column, row))
            x = point[0] + math.cos(angle) * u - math.sin(angle) * v
            y = point[1] + math.sin(angle) * u + math.cos(angle) * v
            x, y = np.clip(x, 0, grey.shape[1] - 1), np.clip(y, 0, grey.shape[0] - 1)
            x0, y0 = min(int(x), grey.shape[1] - 2), min(int(y), grey.shape[0] - 2)
            fx, fy = x - x0, y - y0
            top = grey[y0, x0] * (1 - fx) + grey[y0, x0 + 1] * fx
            bottom = grey[y0 + 1, x0] * (1 - fx) + grey[y0 + 1, x0 + 1] * fx
            patch[row, column] = top * (1 - fy) + bottom * fy
    return patch


@pytest.mark.parametrize("side", [10.0, 24.0, 37.0])
def test_patches_are_those_of_the_slow_twin(side: float) -> None:
    grey = torch.rand(40, 50)
    points = torch.tensor([[25.0, 20.0], [3.25, 1.5], [49.0, 39.0]])
    angles = torch.tensor([0.0, 0.7, -2.5])
    fast = sample_patches(grey[None, None], points, angles, side_px=side)
    assert fast.shape == (3, 1, PATCH_SIZE, PATCH_SIZE)
    for patch, point, angle in zip(fast[:, 0], points, angles, strict=True):
        slow = slow_patch(grey.numpy(), point.numpy(), float(angle), side)
        np.testing.assert_allclose(patch.numpy(), slow, atol=1e-4)


# ------------------------------------------------------------------------------ histograms
def slow_histogram(patch: np.ndarray) -> np.ndarray:
    """The definition, vote by vote."""
    P = len(patch)
    found = np.zeros((8, 4, 4))
    for row in range(P):
        for column in range(P):
            gx = patch[row, min(column + 1, P - 1)] - patch[row, max(column - 1, 0)]
            gy = patch[min(row + 1, P - 1), column] - patch[max(row - 1, 0), column]
            u, v = (column + 0.5) / P - 0.5, (row + 0.5) / P - 0.5
            vote = math.hypot(gx, gy) * math.exp(-(u * u + v * v) / (2 * 0.5**2))
            angle = math.atan2(gy, gx) / (2 * math.pi) * 8
            for d in range(8):
                near = max(0.0, 1 - abs((angle - d + 4) % 8 - 4))
                for i in range(4):
                    for j in range(4):
                        in_row = max(0.0, 1 - abs(4 * (v + 0.5) - (i + 0.5)))
                        in_column = max(0.0, 1 - abs(4 * (u + 0.5) - (j + 0.5)))
                        found[d, i, j] += vote * near * in_row * in_column
    found = np.minimum(found / np.linalg.norm(found), 0.2)
    return (found / found.sum()).ravel()


def test_histograms_are_those_of_the_slow_twin() -> None:
    patches = torch.rand(3, PATCH_SIZE, PATCH_SIZE)
    patches[1, :12] *= 0.1  # one-sided: some entries are cut at 0.2
    slow = [slow_histogram(patch.double().numpy()) for patch in patches]
    np.testing.assert_allclose(sift_histograms(patches).numpy(), slow, atol=1e-5)


# ----------------------------------------------------------------------------- descriptors
@pytest.mark.parametrize("orientation", ["dominant", "upright"])
def test_rows_are_distinct_and_of_unit_length(
    image: Tensor, points: Tensor, orientation: str
) -> None:
    describe = make(orientation=orientation)
    found = describe(image, points)
    assert found.shape == (len(points), describe.identity["dim"]) == (60, 128)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.norm(dim=1), torch.ones(60))
    far = torch.cdist(points, points) > 20
    assert (found @ found.T)[far].max() < 0.98


def test_chunks_and_order_do_not_matter(image: Tensor, points: Tensor) -> None:
    describe = make()
    many = points.repeat(10, 1)  # more than a chunk
    torch.testing.assert_close(describe(image, many)[540:], describe(image, points))
    torch.testing.assert_close(describe(image, points.flip(0)).flip(0), describe(image, points))


def test_light_does_not_matter(image: Tensor, points: Tensor) -> None:
    describe = make()
    torch.testing.assert_close(
        describe(image * 0.4 + 0.3, points), describe(image, points), atol=2e-3, rtol=0
    )


def test_a_quarter_turn_matters_only_to_the_upright_kind(image: Tensor, points: Tensor) -> None:
    for orientation, similar in (("dominant", True), ("upright", False)):
        describe = make(orientation=orientation)
        before = describe(image, points)
        after = describe(torch.rot90(image, 1, (1, 2)), turned(points, W=W))
        similarity = (before * after).sum(1)
        assert (similarity > 0.99).float().mean() > 0.95 if similar else similarity.max() < 0.97


def test_the_patch_is_centred_on_the_point(image: Tensor) -> None:
    """Mirroring the image mirrors the patch, exactly only if the point is its centre."""
    describe = make(orientation="upright")
    point = torch.tensor([[70.0, 60.0]])
    mirrored = describe(image.flip(2), torch.tensor([[W - 1 - 70.0, 60.0]]))
    # 8 directions of 4×4 cells: columns change places, and directions are reflected.
    expected = describe(image, point).reshape(8, 4, 4).flip(2)
    expected = expected[[(4 - k) % 8 for k in range(8)]]
    torch.testing.assert_close(mirrored.reshape(8, 4, 4), expected, atol=1e-3, rtol=0)


def test_several_sizes_bear_a_change_of_scale_better(image: Tensor) -> None:
    large = interpolate(image[None], scale_factor=2.0, mode="bicubic", antialias=True)[0]
    small = interpolate(large[None], size=(140, 175), mode="bicubic", antialias=True)[0]
    points = torch.from_numpy(np.random.default_rng(1).uniform(70, 170, (60, 2))).float()
    moved = (points + 0.5) * torch.tensor([175 / (2 * W), 140 / (2 * H)]) - 0.5

    def similarity(*sizes: float) -> float:
        describe = make(orientation="upright", supports_px=sizes)
        return float((describe(large, points) * describe(small, moved)).sum(1).mean())

    assert similarity(16, 32, 64) > similarity(32) + 0.02


def test_fine_texture_does_not_fold_into_large_patches(points: Tensor) -> None:
    """Noise of one pixel must not drown what a patch of three pixels a sample is meant to see."""
    coarse = torch.rand(1, 3, 12, 15, generator=torch.Generator().manual_seed(1))
    clean = interpolate(coarse, size=(H, W), mode="bicubic").clamp(0, 1)[0]
    checks = torch.ones(H, W)
    checks[::2, ::2] = checks[1::2, 1::2] = -1
    describe = make(orientation="upright", supports_px=(72,))
    assert (describe(clean, points) * describe(clean + 0.1 * checks, points)).sum(1).min() > 0.98


@pytest.mark.parametrize("orientation", ["dominant", "upright"])
def test_no_points_flat_images_and_borders(orientation: str) -> None:
    describe = make(orientation=orientation)
    flat = torch.full((3, 40, 30), 0.5)
    assert describe(flat, torch.zeros(0, 2)).shape == (0, 128)
    corners = torch.tensor([[0.0, 0.0], [29.0, 39.0], [15.0, 20.0]])
    for image in (flat, torch.rand(3, 40, 30), torch.rand(3, 2, 2)):
        found = describe(image, corners)
        assert torch.isfinite(found).all()
        torch.testing.assert_close(found.norm(dim=1), torch.ones(3))


def test_mistakes_in_the_configuration_are_named() -> None:
    with pytest.raises(ConfigError, match="'up' is not one of 'dominant', 'upright'"):
        make(orientation="up")
    for sizes in ((), (32, -1)):
        with pytest.raises(ValueError, match="supports must be positive"):
            make(supports_px=sizes)
