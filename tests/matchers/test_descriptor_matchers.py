"""SMNN, FGINN, AdaLAM and dual softmax, where the right matches can be worked out."""

from __future__ import annotations

import numpy as np
import pytest

from dad_sfm.core.types import Features
from dad_sfm.matchers import MATCHERS
from dad_sfm.matchers.base import View
from dad_sfm.matchers.descriptors import one_to_one

NAMES = ["smnn", "fginn", "adalam", "dual_softmax"]
SURE = {"dual_softmax": {"threshold": 0.2}}


def make_view(name: str, points: np.ndarray, descriptors: np.ndarray) -> View:
    n = len(points)
    found = Features(points.astype(np.float32), np.ones(n, np.float32), (640, 480))
    return View(name, Features(*_fields(found), descriptors=descriptors.astype(np.float32)))


def _fields(found: Features) -> tuple:
    return found.keypoints_px, found.scores, found.image_size


@pytest.fixture
def pair() -> tuple[View, View, np.ndarray]:
    """300 points of an affinity, and 100 of nothing on each side that resemble others; for each
    point of A its row in B, or -1."""
    rng = np.random.default_rng(0)
    a = rng.uniform(30, 450, (300, 2))
    b = a @ np.array([[0.9, 0.1], [-0.1, 1.0]]).T + [25, 40]
    described = rng.standard_normal((300, 64))
    noisy = [described + 0.35 * rng.standard_normal(described.shape) for _ in range(2)]
    clutter = [rng.standard_normal((100, 64)) for _ in range(2)]
    order = rng.permutation(400)
    points_b = np.concatenate([b, rng.uniform(0, 480, (100, 2))])[order]
    described_b = np.concatenate([noisy[1], clutter[1]])[order]
    true = np.argsort(order)
    true[300:] = -1
    points_a = np.concatenate([a, rng.uniform(0, 480, (100, 2))])
    return (
        make_view("a", points_a, np.concatenate([noisy[0], clutter[0]])),
        make_view("b", points_b, described_b),
        true,
    )


@pytest.mark.parametrize("name", NAMES)
def test_what_belongs_together_is_found_and_little_else(name, pair) -> None:
    a, b, true = pair
    found = MATCHERS.make({"name": name, **SURE.get(name, {})})(a, b)
    hits = found.matches0 >= 0
    right = hits & (found.matches0 == true)
    assert right.sum() >= 270
    assert right.sum() / hits.sum() > 0.97
    assert (found.scores0[hits] > 0).all()
    assert (found.scores0 <= 1).all()
    targets = found.matches0[hits]
    assert len(np.unique(targets)) == len(targets)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_matches_nothing(name) -> None:
    none = View("none", Features(np.zeros((0, 2), np.float32), np.zeros(0), (640, 480)))
    one = make_view("one", np.ones((1, 2)), np.eye(1, 8))
    some = make_view("some", np.ones((5, 2)), np.eye(5, 8))
    matcher = MATCHERS.make({"name": name})
    assert len(matcher(none, some).matches0) == 0
    assert (matcher(some, none).matches0 == -1).all()
    assert (matcher(some, one).matches0 == -1).all()
    with pytest.raises(ValueError, match="bare: the features hold no descriptors"):
        matcher(View("bare", Features(*_fields(some.features))), some)


@pytest.mark.parametrize("name", NAMES)
def test_descriptors_that_mean_nothing_are_never_matched(name, pair) -> None:
    a, b, true = pair
    spoiled = a.features.descriptors.copy()
    spoiled[:10], spoiled[10:20] = 0, np.nan
    matcher = MATCHERS.make({"name": name, **SURE.get(name, {})})
    found = matcher(make_view("a", a.features.keypoints_px, spoiled), b)
    assert (found.matches0[:20] == -1).all()
    assert (found.matches0[20:] == true[20:])[found.matches0[20:] >= 0].mean() > 0.97


def test_smnn_asks_for_the_ratio_both_ways() -> None:
    angles_a, angles_b = np.radians([0.0, 40]), np.radians([10.0, 22, 90])
    a, b = (
        make_view("v", np.zeros((len(x), 2)), np.stack([np.cos(x), np.sin(x)], axis=-1))
        for x in (angles_a, angles_b)
    )

    # 0 and 10 degrees: quotients of chords 10/22 there, and 10/30 back.  40 and 22: 18/30, 18/22.
    def chord(degrees: float) -> float:
        return 2 * np.sin(np.radians(degrees) / 2)

    loose = MATCHERS.make({"name": "smnn", "ratio_threshold": 0.9})(a, b)
    assert loose.matches0.tolist() == [0, 1]
    expected = [1 - chord(10) / chord(22), 1 - chord(18) / chord(22)]
    assert loose.scores0 == pytest.approx(expected, abs=1e-4)
    strict = MATCHERS.make({"name": "smnn", "ratio_threshold": 0.7})(a, b)
    assert strict.matches0.tolist() == [0, -1]


def test_fginn_forgives_a_second_neighbour_at_the_same_place() -> None:
    a = make_view("a", np.array([[50.0, 50], [300, 300]]), np.eye(2, 8))
    twin = np.eye(3, 8)
    twin[2] = twin[0] + 0.1 * np.eye(8)[3]
    near = make_view("b", np.array([[60.0, 60], [310, 310], [64, 60]]), twin)
    far = make_view("b", np.array([[60.0, 60], [310, 310], [160, 60]]), twin)
    matcher = MATCHERS.make({"name": "fginn"})
    assert matcher(a, near).matches0.tolist() == [0, 1]
    twin[0] += 0.1 * np.eye(8)[4]  # now as far from A's as its twin
    far = make_view("b", np.array([[60.0, 60], [310, 310], [160, 60]]), twin)
    assert matcher(a, far).matches0.tolist() == [-1, 1]


def test_adalam_drops_what_disagrees_with_its_neighbours(pair) -> None:
    a, b, true = pair
    moved = b.features.keypoints_px.copy()
    lost = np.flatnonzero(true >= 0)[:40]
    moved[true[lost]] = np.random.default_rng(1).uniform(0, 480, (40, 2))
    found = MATCHERS.make({"name": "adalam"})(a, make_view("b", moved, b.features.descriptors))
    assert (found.matches0[lost] == -1).mean() > 0.9
    kept = np.flatnonzero(true >= 0)[40:]
    assert (found.matches0[kept] == true[kept]).mean() > 0.9


def test_dual_softmax_is_the_product_of_both_choices() -> None:
    """Two points per side, of cosines 1, 0 and 0, 0.6."""
    a = make_view("a", np.zeros((2, 2)), np.eye(2, 3))
    b = make_view("b", np.zeros((2, 2)), np.array([[1.0, 0, 0], [0, 0.6, 0.8]]))
    found = MATCHERS.make({"name": "dual_softmax", "inverse_temperature": 2.0})(a, b)
    assert found.matches0.tolist() == [0, 1]
    first = np.exp(2) / (np.exp(2) + 1)
    second = np.exp(1.2) / (np.exp(1.2) + 1)
    assert found.scores0 == pytest.approx([first**2, second**2], rel=1e-5)
    strict = MATCHERS.make({"name": "dual_softmax", "inverse_temperature": 2.0, "threshold": 0.7})
    assert strict(a, b).matches0.tolist() == [0, -1]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("smnn", {"ratio_threshold": 1.5}, r"in \(0, 1\]"),
        ("fginn", {"min_distance_px": -1}, "at least 0"),
        ("dual_softmax", {"inverse_temperature": 0}, "positive"),
    ],
)
def test_options_that_make_no_sense_are_refused(name, options, message) -> None:
    with pytest.raises(ValueError, match=message):
        MATCHERS.make({"name": name, **options})


def test_the_best_of_several_matches_is_kept() -> None:
    index = np.array([[0, 5], [1, 5], [1, 6], [2, 7]])
    rows, scores = one_to_one(index, np.array([0.5, 0.9, 0.8, 0.1]))
    assert rows.tolist() == [[1, 5], [2, 7]]
    assert scores.tolist() == [0.9, 0.1]
