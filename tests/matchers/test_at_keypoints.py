"""Keypoints linked by warps that are known: homographies, and what the warps do not know."""

from __future__ import annotations

import numpy as np
import pytest
from exact_warps import warp_of

from dad_sfm.core.types import Features
from dad_sfm.geometry.homography import apply
from dad_sfm.geometry.mappings import Warp, WarpMapping
from dad_sfm.matchers.at_keypoints import LinkConf, link

SIZE_A, SIZE_B = (1024, 768), (900, 1024)
H = np.array([[0.95, 0.08, 20], [-0.05, 1.05, -15], [5e-5, 2e-5, 1]])
GRID = (256, 192)
TEST = LinkConf(min_certainty=0.0)


def make_features(points: np.ndarray, size: tuple[int, int]) -> Features:
    return Features(np.asarray(points, np.float32), np.ones(len(points), np.float32), size)


def warps(*, noise_px: float = 0.0) -> tuple[Warp, Warp]:
    def move(matrix: np.ndarray):
        return lambda points: (apply(matrix, points), np.ones(len(points), bool))

    return (
        warp_of(move(H), SIZE_A, SIZE_B, grid=GRID, noise_px=noise_px),
        warp_of(move(np.linalg.inv(H)), SIZE_B, SIZE_A, grid=GRID, noise_px=noise_px, seed=1),
    )


@pytest.fixture
def pair() -> tuple[Features, Features, np.ndarray]:
    """150 points that both images have, 50 of nothing in each; B's in another order.

    The last item holds, for each point of A, its row in B, or -1.
    """
    rng = np.random.default_rng(0)
    x, y = np.meshgrid(np.arange(15), np.arange(10))
    a = 150 + 40.0 * np.stack([x.ravel(), y.ravel()], axis=-1) + rng.uniform(-9, 9, (150, 2))
    a = rng.permutation(a)
    b = np.concatenate([apply(H, a), rng.uniform([40, 820], [850, 1000], (50, 2))])
    a = np.concatenate([a, rng.uniform(0, 100, (50, 2))])
    order = rng.permutation(200)
    true = np.argsort(order)
    true[150:] = -1
    return make_features(a, SIZE_A), make_features(b[order], SIZE_B), true


@pytest.mark.parametrize("both_ways", [True, False])
def test_an_exact_warp_links_what_belongs_together(pair, both_ways) -> None:
    a, b, true = pair
    forth, back = warps()
    found = link(a, b, forth, back if both_ways else None, LinkConf(both_ways=both_ways))
    assert found.matches0.tolist() == true.tolist()
    assert (found.scores0 == (true >= 0)).all()


def test_noise_of_a_pixel_costs_no_wrong_match(pair) -> None:
    a, b, true = pair
    found = link(a, b, *warps(noise_px=0.7), LinkConf()).matches0
    assert (found[found >= 0] == true[found >= 0]).all()
    assert (found >= 0).sum() > 140


def test_a_match_is_no_farther_than_asked_in_either_image() -> None:
    """Identity between images of 2048 px: a pixel of the long side 1024 is two of theirs."""
    same = warp_of(lambda p: (p, np.ones(len(p), bool)), (2048,) * 2, (2048,) * 2, grid=(64, 64))
    a = make_features(np.array([[200.0, 200], [800, 800], [1400, 600]]), (2048, 2048))
    moved = a.keypoints_px + [[0, 0], [5.8, 0], [6.2, 0]]
    b = make_features(moved, (2048, 2048))
    assert link(a, b, same, same, LinkConf()).matches0.tolist() == [0, 1, -1]
    # 0.005 of an image that spans 2 is 5.12 px of these.
    norm = LinkConf(unit="normalised", max_distance=0.005)
    assert link(a, b, same, same, norm).matches0.tolist() == [0, -1, -1]


def test_a_keypoint_has_one_match_at_most() -> None:
    same = warp_of(lambda p: (p, np.ones(len(p), bool)), (200,) * 2, (200,) * 2, grid=(50, 50))
    a = make_features(np.array([[100.0, 100], [100.3, 100]]), (200, 200))
    b = make_features(np.array([[100.1, 100]]), (200, 200))
    for both_ways in (True, False):
        conf = LinkConf(both_ways=both_ways)
        assert link(a, b, same, same, conf).matches0.tolist() == [0, -1]
        assert link(b, a, same, same, conf).matches0.tolist() == [0]


def test_what_the_warp_is_not_certain_of_is_not_linked(pair) -> None:
    a, b, true = pair
    forth, back = warps()
    forth.certainty[:, :100] = 0.3
    found = link(a, b, forth, back, LinkConf(min_certainty=0.5))
    x = a.keypoints_px[:, 0]
    assert not (found.matches0[x < 4 * 99] >= 0).any()
    far = x > 4 * 101
    assert (found.matches0[far] == true[far]).all()
    unsure = link(a, b, forth, back, TEST)
    assert unsure.matches0.tolist() == true.tolist()
    near = (true >= 0) & (x < 4 * 98)
    assert unsure.scores0[near] == pytest.approx(0.3)


def test_one_direction_that_disagrees_is_enough(pair) -> None:
    a, b, _ = pair
    forth, back = warps()
    shifted = Warp(back.b_from_a + 0.1, back.certainty)
    assert (link(a, b, forth, shifted, LinkConf()).matches0 == -1).all()


def test_a_warp_is_read_between_its_points_and_unknown_beside_nan() -> None:
    forth, _ = warps()
    points = np.random.default_rng(0).uniform(10, 700, (50, 2))
    mapping = WarpMapping(forth, SIZE_A, SIZE_B)
    moved, known = mapping(points)
    assert known.all()
    assert moved == pytest.approx(apply(H, points), abs=0.05)
    forth.b_from_a[0, 0] = np.nan
    moved, certainty = mapping.sample(np.array([[2.0, 2], [30, 30]]))
    assert certainty.tolist() == [0, 1]


def test_a_grid_may_cover_another_part_than_the_image() -> None:
    """Two points, on the outer corner of the first pixel and on that of the last."""
    b_from_a = np.array([[[-1.0, -1], [1, -1]], [[-1, 1], [1, 1]]])
    warp = Warp(b_from_a, np.ones((2, 2)), extent=(-2, -2, 2, 2))
    points = np.array([[-1, -1], [0.3, -0.6], [1, 1]])
    moved, certainty = warp.sample(points)
    assert moved == pytest.approx(points)
    assert (certainty == 1).all()


def test_a_warp_has_a_certainty_for_each_point() -> None:
    with pytest.raises(ValueError, match="H×W×2"):
        Warp(np.zeros((4, 5, 2)), np.zeros((5, 4)))


@pytest.mark.parametrize("options", [{"max_distance": 0}, {"min_certainty": 1}])
def test_options_that_make_no_sense_are_refused(options) -> None:
    with pytest.raises(ValueError, match="positive distance"):
        LinkConf(**options)
