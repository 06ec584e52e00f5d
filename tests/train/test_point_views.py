"""Random views around points: what is drawn, and that pixels follow the homographies."""

from __future__ import annotations

import numpy as np
import torch

from dad_sfm.geometry import homography
from dad_sfm.train.data.degradation import Degradation, jpeg, smooth_field
from dad_sfm.train.data.point_views import (
    PointViewConf,
    level_for,
    pyramid,
    random_pair,
    warp,
)

SIZE = 64
STILL = PointViewConf(
    rotations=((0.0, 1.0),),
    scales=((1.0, 1.0),),
    common_deg=0.0,
    zoom=(1.0, 1.0),
    perspective=0.0,
    anisotropy=0.0,
    centre_px=0.0,
)


def draw(conf: PointViewConf, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return random_pair(rng, conf, [np.array([80.0, 50.0])] * 2, short_side=200, size=SIZE)


def similarity(photo_from_view: np.ndarray) -> tuple[float, float]:
    """Zoom and angle in degrees of an affine homography without stretch."""
    (a, _), (b, _) = photo_from_view[:2, :2]
    return float(np.hypot(a, b)), float(np.degrees(np.arctan2(b, a)))


def test_the_middle_of_a_view_is_its_centre() -> None:
    for photo_from_view in draw(STILL):
        centre = homography.apply(photo_from_view, np.array([[31.5, 31.5]]))
        np.testing.assert_allclose(centre, [[80.0, 50.0]])


def test_angles_and_scales_are_between_the_views() -> None:
    conf = PointViewConf(
        rotations=((30.0, 1.0),), scales=((2.0, 1.0),), perspective=0.0, anisotropy=0.0
    )
    drawn = [[similarity(h) for h in draw(conf, seed)] for seed in range(200)]
    turns = np.array([a[1] - b[1] for a, b in drawn])
    ratios = np.array([a[0] / b[0] for a, b in drawn])
    assert 25 < np.abs(turns).max() <= 30 + 1e-6
    assert 1.9 < ratios.max() <= 2 + 1e-9
    assert 0.5 - 1e-9 <= ratios.min() < 0.53


def test_a_view_of_a_small_photo_is_not_much_larger_than_it() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        views = random_pair(rng, STILL, [np.zeros(2)] * 2, short_side=40, size=SIZE)
        assert all(similarity(h)[0] <= 1.1 for h in views)


def test_pixels_follow_the_homography() -> None:
    """A photo whose red and green tell the place: the view shows the places that it should."""
    x, y = np.meshgrid(np.arange(160), np.arange(120))
    rgb = np.stack([x, y, np.zeros_like(x)], axis=-1).astype(np.uint8)
    photo_from_view = draw(PointViewConf(centre_px=12.0), seed=3)[0]
    levels = pyramid(rgb)
    assert len(levels) == 1  # too small to be halved
    view = warp(levels[0], 0, torch.from_numpy(photo_from_view).float(), SIZE)
    at = np.array([[20.0, 40.0], [40.0, 25.0], [33.0, 33.0]])
    true = homography.apply(photo_from_view, at)
    inside = (true > 1).all(axis=1) & (true < [158, 118]).all(axis=1)
    assert inside.any()
    for (vx, vy), place in zip(at[inside].astype(int), true[inside], strict=True):
        np.testing.assert_allclose(view[:2, vy, vx].numpy() * 255, place, atol=0.05)


def test_levels_of_a_pyramid_show_the_same_places() -> None:
    x, y = np.meshgrid(np.arange(440) / 2, np.arange(420) / 2)
    rgb = np.stack([x, y, np.zeros_like(x)], axis=-1).astype(np.uint8)
    levels = pyramid(rgb)
    assert [tuple(level.shape) for level in levels] == [(3, 420, 440), (3, 210, 220), (3, 105, 110)]
    photo_from_view = torch.tensor([[2.0, 0.0, 100.0], [0.0, 2.0, 90.0], [0.0, 0.0, 1.0]])
    assert level_for(photo_from_view.numpy(), len(levels)) == 1
    fine, coarse = (warp(levels[i], i, photo_from_view, SIZE) for i in (0, 1))
    torch.testing.assert_close(fine, coarse, atol=1.5 / 255, rtol=0)


def test_degradation_depends_on_the_seed_alone_and_stays_in_range() -> None:
    images = torch.rand(3, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    degrade = Degradation()
    one, again, other = (degrade(images.clone(), seed=s) for s in (5, 5, 6))
    assert torch.equal(one, again)
    assert not torch.allclose(one, other, atol=0.05)
    assert one.min() >= 0
    assert one.max() <= 1


def test_shadows_only_darken() -> None:
    images = torch.full((8, 3, 48, 48), 0.5)
    generator = torch.Generator().manual_seed(0)
    shade = Degradation(shadowed=1.0)._shadows(images, generator)
    assert shade.max() <= 1
    assert 0.3 < shade.min() < 0.6  # at most 65% of the light is taken
    assert torch.equal(
        Degradation(shadowed=0.0)._shadows(images, generator), torch.ones_like(shade)
    )


def test_fields_are_smooth() -> None:
    field = smooth_field(torch.zeros(4, 3, 96, 96), torch.Generator().manual_seed(1))
    steps = field.diff(dim=-1).abs().max()
    assert field.std() > 0.3
    assert steps < 0.3


def test_jpeg_loses_more_at_a_lower_quality() -> None:
    y, x = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    image = torch.stack([0.5 + 0.4 * torch.sin(x / 2), 0.5 + 0.4 * torch.sin(y / 3), x / 40])
    fine, coarse = ((jpeg(image, quality) - image).abs().mean() for quality in (95, 5))
    assert fine < 0.04
    assert coarse > 0.03
