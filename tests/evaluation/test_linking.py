"""Every way of linking keypoints, where the right links are known."""

import numpy as np
import pytest

from dad_sfm.core.types import Features, Matches
from dad_sfm.evaluation.homography_set import HomographyPair
from dad_sfm.evaluation.linking import BudgetLinker, FileLinker, TruthLinker
from dad_sfm.evaluation.ranking import ranked
from dad_sfm.geometry.homography import apply
from dad_sfm.geometry.neighbours import mutual, nearest, squared_distances
from dad_sfm.io.store import MatchReader, MatchWriter, StoreError

SIZE = (1024, 768)
H = np.array([[0.95, 0.08, 20], [-0.05, 1.05, -15], [5e-5, 2e-5, 1]])
PAIR = HomographyPair("a.png", "b.png", H)


def make_features(points, scores=None):
    scores = np.linspace(1, 0.5, len(points)) if scores is None else scores
    return Features(np.asarray(points, np.float32), np.asarray(scores, np.float32), SIZE)


@pytest.fixture
def views():
    """150 points that both images have, and 50 of nothing in each; B's are in another order.

    The last item holds, for each point of A, its row in B, or -1.
    """
    rng = np.random.default_rng(0)
    x, y = np.meshgrid(np.arange(15), np.arange(10))
    a = 150 + 40.0 * np.stack([x.ravel(), y.ravel()], axis=-1) + rng.uniform(-9, 9, (150, 2))
    a = rng.permutation(a)
    b = np.concatenate([apply(H, a), rng.uniform([900, 0], SIZE, (50, 2))])
    a = np.concatenate([a, rng.uniform(0, 100, (50, 2))])
    order = rng.permutation(200)
    true = np.argsort(order)
    true[150:] = -1
    return ranked("a.png", make_features(a)), ranked("b.png", make_features(b[order])), true


def check_links(links, true, budget=200):
    found = dict(links(budget).tolist())
    expected = {i: j for i, j in enumerate(true) if 0 <= j < budget and i < budget}
    assert found == expected


def test_the_truth_links_what_belongs_together(views):
    a, b, true = views
    links = TruthLinker()(PAIR, a, b)
    check_links(links, true)
    check_links(links, true, budget=90)


def test_the_truth_links_up_to_a_distance():
    a = ranked("a.png", make_features([[100.0, 100], [400, 400], [700, 300]]))
    moved = apply(H, a.points(3)) + [[0, 0], [2.9, 0], [3.1, 0]]
    links = TruthLinker()(PAIR, a, ranked("b.png", make_features(moved)))
    assert links(3).tolist() == [[0, 0], [1, 1]]


def test_each_budget_has_a_file_of_its_own(tmp_path):
    a = ranked("a.png", make_features(np.zeros((3, 2))))
    for budget, rows in ((2, [1, 0]), (3, [2, -1, 0])):
        with MatchWriter(tmp_path / f"{budget}.h5", {}) as writer:
            writer.write("a.png", "b.png", Matches(np.array(rows, np.int32), np.ones(budget)))
    with MatchReader(tmp_path / "2.h5") as two, MatchReader(tmp_path / "3.h5") as three:
        links = BudgetLinker({2: two, 3: three}, {"name": "m"})(PAIR, a, a)
        assert links(2).tolist() == [[0, 1], [1, 0]]
        assert links(3).tolist() == [[0, 2], [2, 0]]


@pytest.fixture
def match_file(tmp_path):
    """Of a file in which A's points are unsorted: its second is the best."""
    with MatchWriter(tmp_path / "m.h5", {}) as writer:
        writer.write("a.png", "b.png", Matches(np.array([2, 0, -1, 1], np.int32), np.ones(4)))
    with MatchReader(tmp_path / "m.h5") as reader:
        yield reader


def test_a_match_file_is_cut_by_the_scores(match_file):
    points = np.arange(8.0).reshape(4, 2)
    a = ranked("a.png", make_features(points, [0.2, 0.9, 0.5, 0.7]))  # order 1 3 2 0
    b = ranked("b.png", make_features(points[:3], [0.3, 0.8, 0.6]))  # order 1 2 0
    links = FileLinker(match_file)(PAIR, a, b)
    # Matches of rows (0, 2), (1, 0), (3, 1): of ranks (3, 1), (0, 2), (1, 0).
    assert sorted(links(4).tolist()) == [[0, 2], [1, 0], [3, 1]]
    assert links(2).tolist() == [[1, 0]]
    turned = FileLinker(match_file)(HomographyPair("b.png", "a.png", H), b, a)
    assert sorted(turned(4).tolist()) == [[0, 1], [1, 3], [2, 0]]


def test_a_pair_that_the_match_file_lacks_has_no_links(match_file):
    a = ranked("x.png", make_features(np.zeros((3, 2))))
    assert len(FileLinker(match_file)(HomographyPair("x.png", "y.png", H), a, a)(3)) == 0


def test_matches_of_other_features_are_refused(match_file):
    two = ranked("a.png", make_features(np.zeros((2, 2))))
    with pytest.raises(StoreError, match=r"m\.h5: the matches of a.png b.png are not of these"):
        FileLinker(match_file)(PAIR, two, two)


def test_nearest_neighbours_are_those_of_the_whole_matrix(monkeypatch):
    monkeypatch.setattr("dad_sfm.geometry.neighbours.BLOCK_ELEMENTS", 100)
    rng = np.random.default_rng(0)
    a, b = rng.uniform(0, 50, (67, 2)), rng.uniform(0, 50, (41, 2))
    a[5] = np.nan
    matrix = np.hypot(a[:, None, 0] - b[None, :, 0], a[:, None, 1] - b[None, :, 1])
    assert squared_distances(a, b)[:5] == pytest.approx(matrix[:5] ** 2)
    rows = np.flatnonzero(np.arange(67) != 5)
    index, distance = nearest(a, b)
    assert (index[rows] == matrix[rows].argmin(axis=1)).all()
    assert distance[rows] == pytest.approx(matrix[rows].min(axis=1))
    assert (index[5], distance[5]) == (-1, np.inf)
    there, gap = mutual(a, b)
    back = np.nanargmin(matrix, axis=0)
    expected = [j if i != 5 and back[j] == i else -1 for i, j in enumerate(index)]
    assert there.tolist() == expected
    assert np.isfinite(gap).tolist() == [j >= 0 for j in expected]


def test_nothing_has_no_neighbours():
    none, two = np.zeros((0, 2)), np.zeros((2, 2))
    assert nearest(two, none)[0].tolist() == [-1, -1]
    assert mutual(two, none)[0].tolist() == [-1, -1]
    assert len(mutual(none, two)[0]) == 0
