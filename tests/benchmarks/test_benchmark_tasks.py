"""What the tasks say about detectors whose worth is known: a perfect one, and chance."""

from pathlib import Path

import numpy as np
import pytest
from projected import make_scene

from dad_sfm.benchmarks.sfm_task import SfmTask, in_folder
from dad_sfm.core.types import Features, Matches
from dad_sfm.evaluation.homography_set import HomographyPair
from dad_sfm.evaluation.homography_task import HomographyProtocol, HomographyTask
from dad_sfm.evaluation.linking import FileLinker, NoTruthError, TruthLinker
from dad_sfm.evaluation.pose_task import PoseProtocol, PoseTask, pairs_of_model
from dad_sfm.evaluation.ranking import RankedReader
from dad_sfm.geometry.homography import apply
from dad_sfm.io.store import FeatureReader, FeatureWriter, MatchReader, MatchWriter

SIZE = (1024, 768)
SHIFT = np.array([[1.0, 0, 3], [0, 1, -2], [0, 0, 1]])
VIEW = np.array([[0.95, 0.08, 20], [-0.05, 1.05, -15], [5e-5, 2e-5, 1]])


def judge_pair(tmp_path, a, b, b_from_a, budgets=(500,), **protocol):
    """Both tables of one homography pair whose keypoints, in descending order, are given."""
    with FeatureWriter(tmp_path / "f.h5", {}, overwrite=True) as writer:
        for name, points in (("a", a), ("b", b)):
            scores = np.linspace(1, 0.5, len(points), dtype=np.float32)
            writer.write(name, Features(np.asarray(points, np.float32), scores, SIZE))
    task = HomographyTask([HomographyPair("a", "b", b_from_a)], HomographyProtocol(**protocol))
    with FeatureReader(tmp_path / "f.h5") as reader:
        ranked = RankedReader(reader)
        return task.judge(ranked, TruthLinker(), budgets, tmp_path)


def figures(tables, budget):
    return {m.name: t.value(m, budget) for t in tables for m in t.measures}


def spread_points(step=31):
    x, y = np.meshgrid(np.arange(20.0, 1000, step), np.arange(20.0, 750, step))
    return np.stack([x.ravel(), y.ravel()], axis=-1)


def test_a_perfect_detector_scores_100_on_a_homography(tmp_path):
    a = spread_points()
    b = apply(VIEW, a)
    inside = ((b > 0) & (b < np.array(SIZE) - 1)).all(axis=1)
    found = figures(judge_pair(tmp_path, a, b[inside], VIEW, (1000,)), 1000)
    for name in ("AUC@3px", "AUC@5px", "AUC@10px"):
        assert found[name] > 99.8
    for kind in ("distinct", "usual", "accuracy"):
        assert found[f"{kind}@1px"] == pytest.approx(100)
    assert found["localisation"] < 0.01
    assert found["matches"] == inside.sum() < found["points"] == len(a)


def test_a_perfect_detector_scores_100_on_the_identity(tmp_path):
    a = spread_points()
    found = figures(judge_pair(tmp_path, a, a, np.eye(3)), 500)
    assert found["AUC@3px"] > 99.8
    assert found["distinct@1px"] == 100


def test_a_detector_that_is_off_by_a_pixel_loses_what_that_costs(tmp_path):
    """All of B's points 1.5 px off: the homography is off by 1.5 px, at 768 rows."""
    a = spread_points()
    tables = judge_pair(tmp_path, a, apply(SHIFT, a) + [1.5, 0], SHIFT)
    error = 1.5 * 480 / 768
    assert tables[0].values[500]["corner_error_px"] == pytest.approx(error, rel=0.01)
    found = figures(tables, 500)
    # All runs have one error e: recall is 1/5 there, since five equal errors stand in a row, and
    # rises at once to 1: the first ramp has the area e / 10, and the rest is full.
    assert found["AUC@5px"] == pytest.approx(100 * (error / 10 + 5 - error) / 5, rel=0.01)
    assert (found["accuracy@1px"], found["accuracy@2px"]) == (0, 100)
    assert (found["distinct@1px"], found["usual@1px"]) == (0, 0)
    assert found["localisation"] == pytest.approx(1.5, abs=1e-3)


def test_random_points_score_what_chance_gives(tmp_path):
    """A point's nearest neighbour is mutual and within t with probability (1 - e^(-2 λ π t²)) / 2,
    for points of density λ (a Poisson process), near enough for few points in a large image."""
    rng = np.random.default_rng(0)
    n, shares, links = 2500, [], []
    for _ in range(3):
        a, b = (rng.uniform(-0.5, 0.5, (n, 2)) * SIZE + np.array(SIZE) / 2 - 0.5 for _ in range(2))
        found = figures(judge_pair(tmp_path, a, b, np.eye(3), (n,), runs=1), n)
        shares.append(found["usual@3px"] / 100)
        links.append(found["matches"] / n)
    density = n / (SIZE[0] * SIZE[1])
    assert np.mean(shares) == pytest.approx(1 - np.exp(-density * np.pi * 9), rel=0.15)
    assert np.mean(links) == pytest.approx((1 - np.exp(-2 * density * np.pi * 9)) / 2, rel=0.15)


def test_without_links_a_pair_has_failed(tmp_path):
    a = spread_points()
    tables = judge_pair(tmp_path, a[:200], a[200:400] + [500, 0], np.eye(3), (100,))
    assert np.isinf(tables[0].values[100]["corner_error_px"]).all()
    found = figures(tables, 100)
    assert (found["AUC@10px"], found["accuracy@3px"], found["matches"]) == (0, 0, 0)


# ------------------------------------------------------------------------------------ poses
@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    names = [f"{i}.png" for i in range(5)]
    return make_scene(tmp_path_factory.mktemp("scene"), [names], points=400)


def judge_scene(scene, task, budgets, matches=None):
    features = scene.inputs["features"]
    with FeatureReader(features) as reader, MatchReader(matches or scene.inputs["matches"]) as m:
        ranked = RankedReader(reader)
        return task.judge(ranked, FileLinker(m), budgets, scene.root / "work")


@pytest.mark.slow
def test_exact_keypoints_score_100_and_fewer_are_cut(scene):
    pairs = pairs_of_model(scene.gt, max_axis_deg=45)
    tables = judge_scene(scene, PoseTask(pairs, PoseProtocol(runs=2)), (100, 500))
    assert [table.name for table in tables] == ["pose essential", "pose fundamental"]
    for table in tables:
        assert len(table.items) == len(pairs)
        assert table.values[500]["error_deg"].shape == (len(pairs), 2)
        assert figures([table], 500)["AUC@5°"] > 99
        assert figures([table], 100)["matches"] < 100 < figures([table], 500)["matches"]


@pytest.mark.slow
def test_random_matches_score_nothing(scene, tmp_path):
    """Chance: a random rotation is within θ of the true one with probability (θ - sin θ) / π,
    10⁻⁵ for 5°."""
    rng = np.random.default_rng(0)
    pairs = pairs_of_model(scene.gt, max_axis_deg=45)
    with MatchWriter(tmp_path / "m.h5", {}) as writer:
        for p in pairs:
            n0, n1 = (len(scene.points_px[n]) for n in (p.name_a, p.name_b))
            matches0 = rng.integers(0, n1, n0).astype(np.int32)
            writer.write(p.name_a, p.name_b, Matches(matches0, np.ones(n0, np.float32)))
    task = PoseTask(pairs[:2], PoseProtocol(("essential",), runs=1))
    (table,) = judge_scene(scene, task, (500,), tmp_path / "m.h5")
    assert (table.values[500]["error_deg"] > 5).all()
    assert figures([table], 500)["AUC@5°"] == 0


def test_the_threshold_is_for_the_original_image_unless_a_side_is_named(scene):
    cameras = pairs_of_model(scene.gt, max_axis_deg=45)[0].cameras  # 800×600
    assert PoseProtocol().limit_px(cameras) == 2
    assert PoseProtocol(at_long_side=1024).limit_px(cameras) == pytest.approx(2 * 800 / 1024)


def test_without_depth_the_truth_cannot_link(scene):
    (pair, *_) = pairs_of_model(scene.gt, max_axis_deg=45)
    with pytest.raises(NoTruthError, match=r"0\.png and 1\.png: this benchmark has no depth"):
        pair.mapping((800, 600), (800, 600))


def test_exact_keypoints_reconstruct_exactly(scene):
    gt = in_folder(scene.gt, "")
    task = SfmTask("arc", scene.image_dir, gt, pairs_of_model(gt, max_axis_deg=180))
    pairs, images = judge_scene(scene, task, (600,))
    assert (pairs.name, images.name) == ("arc SfM", "arc SfM images")
    assert figures([pairs], 600)["AUC@3°"] > 90
    found = figures([images], 600)
    assert found["registered"] == 100
    assert found["position"] < 50  # of 5 metres to the object
    assert Path(scene.root, "work", "arc", "600", "sparse", "0").is_dir()


def test_a_scene_without_a_model_has_no_registered_images(scene, tmp_path):
    gt = in_folder(scene.gt, "")
    with MatchWriter(tmp_path / "none.h5", {}):
        pass
    task = SfmTask("arc", scene.image_dir, gt, pairs_of_model(gt, max_axis_deg=180))
    pairs, images = judge_scene(scene, task, (50,), tmp_path / "none.h5")
    assert np.isinf(pairs.values[50]["error_deg"]).all()
    assert figures([images], 50)["registered"] == 0
    assert np.isnan(figures([images], 50)["position"])
