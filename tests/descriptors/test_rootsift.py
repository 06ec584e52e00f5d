"""RootSIFT: what it does and does not notice."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from dad_sfm.core.config import ConfigError
from dad_sfm.descriptors import DESCRIPTORS

H, W = 120, 152  # multiples of 8: halving begins at the same pixels in turned copies


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


def test_neither_number_nor_order_matters(image: Tensor, points: Tensor) -> None:
    describe = make()
    torch.testing.assert_close(describe(image, points[:7]), describe(image, points)[:7])
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
    small = interpolate(large[None], size=(140, 177), mode="bicubic", antialias=True)[0]
    points = torch.from_numpy(np.random.default_rng(1).uniform(70, 170, (60, 2))).float()
    moved = (points + 0.5) * torch.tensor([177 / (2 * W), 140 / (2 * H)]) - 0.5

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
