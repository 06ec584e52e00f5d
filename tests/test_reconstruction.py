import logging
from itertools import pairwise

import numpy as np
import pytest
from projected import make_scene

from dad_sfm import database, reconstruction
from dad_sfm.colmap.inputs import InputError
from dad_sfm.colmap.model import read_coloured_points, read_model
from dad_sfm.colmap.view_graph import read_view_graph
from dad_sfm.core.config import ConfigError
from dad_sfm.core.types import Features, Matches
from dad_sfm.evaluation.poses import absolute_errors, auc, pair_errors_deg
from dad_sfm.io.pairs_file import write_pairs
from dad_sfm.io.store import FeatureWriter, MatchWriter
from dad_sfm.reconstruction import ReconstructionError

NAMES = ["nörd/a b.png", "nörd/c.png", "d.png", "e.png", "f.png"]


def build(scene, folder):
    return database.main(folder / "database.db", **{**scene.inputs, "camera_mode": "single"})


def run(scene, folder, **options):
    return reconstruction.main(
        folder / "sparse", build(scene, folder), scene.image_dir, num_threads=1, **options
    )


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return make_scene(tmp_path_factory.mktemp("scene"), [NAMES])


def test_exact_points_give_the_true_poses(scene, tmp_path):
    models = run(scene, tmp_path)
    assert models == [tmp_path / "sparse" / "0"]
    model = read_model(models[0])
    assert set(model.images) == set(NAMES)
    errors = absolute_errors(model, scene.gt)
    extent = np.ptp([i.center for i in scene.gt.images.values()], axis=0).max()
    assert errors.position.max() < 1e-3 * extent
    assert errors.rotation_deg.max() < 0.02
    assert auc(pair_errors_deg(model, scene.gt), [1.0])[0] > 0.98
    assert sorted(p.name for p in tmp_path.iterdir()) == ["database.db", "sparse"]


def test_a_run_repeats(tmp_path):
    scene = make_scene(tmp_path, [NAMES], noise_px=0.7)
    poses = []
    for folder in ("one", "two"):
        (model,) = run(scene, tmp_path / folder, seed=3)
        poses.append([i.cam_from_world for i in read_model(model).images.values()])
    np.testing.assert_array_equal(poses[0], poses[1])


def test_two_scenes_in_one_folder_give_two_models_the_larger_first(tmp_path):
    small, large = ["a.png", "b.png", "c.png", "d.png"], [f"{i}.png" for i in "uvwxyz"]
    scene = make_scene(tmp_path, [small, large])
    models = run(scene, tmp_path)
    assert [m.name for m in models] == ["0", "1"]
    assert [sorted(read_model(m).images) for m in models] == [large, small]
    graph = read_view_graph(tmp_path / "database.db")
    assert graph.components() == [large, small]
    assert graph.best_inliers()["a.png"] > 100


def test_colmap_is_silent_and_its_log_is_kept(scene, tmp_path, capfd, caplog):
    with caplog.at_level(logging.DEBUG, logger="dad_sfm"):
        run(scene, tmp_path)
    assert capfd.readouterr().err == ""
    assert "Global bundle adjustment" in caplog.text


def test_why_there_is_no_model(scene, tmp_path):
    def reason(folder, **inputs):
        changed = {**scene.inputs, **inputs, "pairs": chain}
        path = database.main(tmp_path / folder / "database.db", **changed)
        with pytest.raises(ReconstructionError) as caught:
            reconstruction.main(tmp_path / folder / "sparse", path, scene.image_dir)
        assert not (tmp_path / folder / "sparse").exists()
        assert [p.name for p in (tmp_path / folder).iterdir()] == ["database.db"]
        return caught.value.reason, str(caught.value)

    chain, nothing = tmp_path / "pairs.txt", tmp_path / "nothing.h5"
    write_pairs(chain, pairwise(NAMES))
    with MatchWriter(nothing, {}) as writer:
        for a, b in pairwise(NAMES):
            n = len(scene.points_px[a])
            writer.write(a, b, Matches(np.full(n, -1, np.int32), np.zeros(n, np.float32)))
    assert reason("a", matches=nothing)[0] == "no_matches"

    rng, wrong = np.random.default_rng(0), tmp_path / "wrong.h5"
    with MatchWriter(wrong, {}) as writer:
        for a, b in pairwise(NAMES):
            n0, n1 = len(scene.points_px[a]), len(scene.points_px[b])
            matches0 = np.full(n0, -1, np.int32)
            matches0[:40] = rng.choice(n1, 40, replace=False)
            writer.write(a, b, Matches(matches0, (matches0 >= 0).astype(np.float32)))
    found, message = reason("b", matches=wrong)
    assert found == "no_verified_pair"
    assert "none of 4 pairs" in message
    assert "40 matches" in message

    empty = tmp_path / "empty.h5"
    with FeatureWriter(empty, {}) as feature_writer:
        for name in NAMES:
            none = Features(np.zeros((0, 2), np.float32), np.zeros(0, np.float32), (800, 600))
            feature_writer.write(name, none)
    assert reason("c", features=empty, matches=nothing)[0] == "no_keypoints"


def test_a_turning_camera_did_not_move(tmp_path):
    scene = make_scene(tmp_path, [NAMES], baseline=1e-5, points=120, bob=0.0)
    with pytest.raises(ReconstructionError, match="the camera did not move: 10 of 10") as caught:
        run(scene, tmp_path)
    assert caught.value.reason == "no_motion"


def test_two_images_make_a_model(tmp_path):
    scene = make_scene(tmp_path, [NAMES[:2]], baseline=3.0)
    (folder,) = run(scene, tmp_path)
    assert set(read_model(folder).images) == set(NAMES[:2])
    assert len(read_coloured_points(folder)[1]) > 30


@pytest.mark.parametrize("mapper", ["global", "hierarchical"])
def test_other_mappers(scene, tmp_path, mapper):
    path = build(scene, tmp_path)
    options = {"mapper": mapper, "num_threads": 1}
    model = read_model(
        reconstruction.main(tmp_path / "sparse", path, scene.image_dir, **options)[0]
    )
    assert set(model.images) == set(NAMES)
    assert absolute_errors(model, scene.gt).position.max() < 0.05


def test_an_unknown_mapper_is_refused(scene, tmp_path):
    with pytest.raises(ConfigError, match="incremental, global, hierarchical"):
        reconstruction.main(
            tmp_path / "sparse", build(scene, tmp_path), scene.image_dir, mapper="best"
        )


def test_options(scene, tmp_path):
    path = build(scene, tmp_path)

    def with_options(**options):
        options = {"options": options, "num_threads": 1}
        return reconstruction.main(tmp_path / "sparse", path, scene.image_dir, **options)

    with pytest.raises(ConfigError, match=r"'mapper\.init_tri'"):
        with_options(**{"mapper.init_tri": 4})
    with pytest.raises(ConfigError, match=r"unknown COLMAP option 'seed'.*ba_refine_focal_length"):
        with_options(seed=4)
    with pytest.raises(ConfigError, match="min_model_size: expected int, got 'big'"):
        with_options(min_model_size="big")
    assert [p.name for p in tmp_path.iterdir()] == ["database.db"]

    (model,) = with_options(ba_refine_focal_length=False, ba_refine_extra_params=False)
    (camera,) = read_model(model).cameras.values()
    assert camera.params == (1.2 * 800, 400, 300, 0)  # the guess, left alone
    with pytest.raises(InputError, match="sparse is not empty"):
        with_options()
    with pytest.raises(FileNotFoundError, match=r"none\.db"):
        reconstruction.main(tmp_path / "x", tmp_path / "none.db", scene.image_dir)


def test_forward_motion(tmp_path, caplog):
    """Along a street no pair has the sideways motion that COLMAP asks of a first pair."""
    ahead = np.column_stack([np.full(5, 0.4), np.zeros(5), np.linspace(-6, -4, 5)])
    scene = make_scene(tmp_path, [NAMES], centers=ahead, noise_px=0.1)
    with caplog.at_level(logging.INFO, logger="dad_sfm"):
        model = read_model(run(scene, tmp_path)[0])
    assert "another attempt" in caplog.text
    assert set(model.images) == set(NAMES)
    assert absolute_errors(model, scene.gt).position.max() < 0.05


class FakeModel:
    def __init__(self, registered):
        self.registered = registered

    def num_reg_images(self):
        return self.registered

    def num_points3D(self):
        return 100


@pytest.mark.parametrize(
    ("joined", "registered", "expected", "tried"),
    [
        (10, [[9]], [9], 1),
        (10, [[2, 4], [3], [8, 2]], [8, 2], 3),
        (10, [[], [3], [5, 2], [5], [4]], [5, 2], 5),
        (10, [[], [], [], [], []], [], 5),
        (1000, [[], [300]], [300], 2),  # a large scene is not mapped over and over
    ],
)
def test_attempts_until_enough_images_are_registered(
    tmp_path, monkeypatch, joined, registered, expected, tried
):
    seeds = []

    def mapper(name, folder, database, image_dir, settings):
        seeds.append(settings.random_seed)
        return [FakeModel(count) for count in registered[len(seeds) - 1]]

    monkeypatch.setattr(reconstruction, "run_mapper", mapper)
    wanted = reconstruction._attempts({"random_seed": 7}, "incremental")
    settings = [reconstruction.mapper_options(one) for one in wanted]
    places = tmp_path, tmp_path / "database.db", tmp_path
    models = reconstruction._best_models("incremental", *places, settings, joined)
    assert [model.registered for model in models] == expected
    assert seeds == [7, 8, 9, 10, 11][:tried]
