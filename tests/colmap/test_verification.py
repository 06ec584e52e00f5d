import numpy as np
import pycolmap
import pytest

from dad_sfm.colmap.verification import Pair, Verification, View, verify

SIZE, FOCAL = (800, 600), 900.0


@pytest.fixture
def pair() -> Pair:
    """Two views of 200 points, noise of 3 px, and 100 wrong matches; known focal length."""
    rng = np.random.default_rng(0)
    camera = pycolmap.Camera(
        model="PINHOLE", width=800, height=600, params=[FOCAL, FOCAL, 400, 300]
    )
    camera.has_prior_focal_length = True
    world = rng.uniform([-1.5, -1, 4], [1.5, 1, 7], (200, 3))
    views = []
    for x in (0.0, 1.0):
        local = world - [x, 0, 0]
        points = FOCAL * local[:, :2] / local[:, 2:] + [400, 300]
        points = points + rng.normal(size=points.shape) * 3
        noise = rng.uniform(0, SIZE, (100, 2))
        views.append(View(camera, np.concatenate([points, noise]).astype(np.float32), 1.0))
    return Pair((1, 2), *views, np.arange(300)[:, None].repeat(2, axis=1), np.ones(300))


def with_uncertainty(pair: Pair, *uncertainty: float) -> Pair:
    views = [v._replace(uncertainty_px=u) for v, u in zip(pair[1:3], uncertainty, strict=True)]
    return pair._replace(view0=views[0], view1=views[1])


def with_matches(pair: Pair, matches: np.ndarray) -> Pair:
    return pair._replace(matches=matches, scores=np.ones(len(matches)))


def inliers(pair: Pair, **conf: float) -> int:
    ((_, geometry),) = verify([pair], Verification(**conf), seed=0, num_threads=1)
    return len(geometry.inlier_matches)


def test_the_threshold_follows_the_uncertainty_of_detection(pair):
    strict = inliers(pair, max_error_px=1.0)
    loose = inliers(pair, max_error_px=6.0)
    assert strict < 160 < 180 < loose
    assert inliers(with_uncertainty(pair, 6, 6), max_error_px=1.0) == loose
    assert inliers(with_uncertainty(pair, 4, 8), max_error_px=1.0) == loose  # the mean counts
    assert inliers(with_uncertainty(pair, 0.5, 0.5), max_error_px=2.0) == strict


def test_inliers_are_indices_of_keypoints(pair):
    """Also where matches are few, unordered and far down the list of keypoints."""
    rng = np.random.default_rng(1)
    chosen = rng.permutation(200)[:120]
    few = with_matches(pair, np.stack([chosen, chosen], axis=1))
    ((same, geometry),) = verify([few], Verification(max_error_px=6), seed=0, num_threads=1)
    assert same is few
    found = np.asarray(geometry.inlier_matches)
    assert len(found) > 100
    assert (found[:, 0] == found[:, 1]).all()
    assert set(found[:, 0].tolist()) <= set(chosen.tolist())


def test_too_few_inliers_are_none(pair):
    ten = with_matches(pair, pair.matches[:10])
    assert inliers(ten, max_error_px=6.0) == 0
    assert inliers(pair, max_error_px=6.0, min_inliers=250) == 0


def test_what_chance_gives_is_dropped(pair):
    """Among 900 wrong matches 15 and more always agree with some geometry; 60 true ones do more."""
    rng = np.random.default_rng(2)
    wrong = np.stack([rng.integers(0, 300, 900), rng.integers(0, 300, 900)], axis=1)
    noise = with_matches(pair, wrong)
    assert inliers(noise) == 0
    assert inliers(noise, max_chance=1e30) >= 15
    true = np.arange(60)[:, None].repeat(2, axis=1)
    assert inliers(with_matches(pair, np.concatenate([true, wrong[:60]]))) >= 40


def test_pairs_come_back_in_order_and_are_read_only_a_few_ahead(pair):
    taken = []

    def pairs():
        for i in range(40):
            taken.append(i)
            yield pair._replace(key=(i, i + 1))

    results = verify(pairs(), Verification(max_trials=100), seed=0, num_threads=2)
    assert next(results)[0].key == (0, 1)
    assert len(taken) < 12
    assert [p.key for p, _ in results] == [(i, i + 1) for i in range(1, 40)]


def test_a_pair_on_which_colmap_fails_does_not_end_the_run(pair, monkeypatch, caplog):
    estimate = pycolmap.estimate_two_view_geometry

    def fail_once(camera, points, *rest):
        if len(points) == 250:
            raise RuntimeError("check failed")
        return estimate(camera, points, *rest)

    monkeypatch.setattr(pycolmap, "estimate_two_view_geometry", fail_once)
    bad = with_matches(pair._replace(key=(3, 4)), pair.matches[:250])
    verified = verify([bad, pair], Verification(), seed=0, num_threads=2)
    results = {p.key: geometry for p, geometry in verified}
    assert len(results[3, 4].inlier_matches) == 0
    assert len(results[1, 2].inlier_matches) > 100
    assert "images 3 and 4 could not be verified: check failed" in caplog.text
