"""Loaders, on small sets made in the layout of the real ones; and what is said of broken ones."""

import pickle
import zipfile
from functools import partial

import numpy as np
import pytest
from PIL import Image
from projected import make_scene

from dad_sfm.benchmarks.datasets import BENCHMARKS, courtyard, data_set
from dad_sfm.benchmarks.datasets.base import DataError, Source
from dad_sfm.benchmarks.datasets.megadepth1500 import INDICES
from dad_sfm.benchmarks.sfm_task import SfmTask
from dad_sfm.colmap.model import read_model
from dad_sfm.core.config import ConfigError
from dad_sfm.core.types import Features
from dad_sfm.evaluation.estimation import intrinsics
from dad_sfm.evaluation.linking import TruthLinker
from dad_sfm.evaluation.pose_task import PoseProtocol, PoseTask, pairs_of_model
from dad_sfm.evaluation.poses import relative_pose
from dad_sfm.evaluation.ranking import RankedReader
from dad_sfm.evaluation.subsets import evenly
from dad_sfm.io.colmap_text import write_text_model
from dad_sfm.io.npz_archive import ArchiveError, read_npz
from dad_sfm.io.store import FeatureReader, FeatureWriter
from dad_sfm.synthetic import render_courtyard


def load(name, folder, work, limit=None):
    return BENCHMARKS.plugin(name)(Source(folder, work, limit))


@pytest.mark.parametrize("name", BENCHMARKS.names)
def test_every_benchmark_tells_where_its_data_comes_from(name, request):
    readme = request.config.rootpath / "datasets" / data_set(name) / "README.md"
    text = readme.read_text(encoding="utf-8")
    for word in ("source", "licence", "```" if name != "homographies" else "tree"):
        assert word in text


@pytest.mark.parametrize("name", ["homographies", "megadepth1500", "strecha"])
def test_a_missing_folder_is_named(name, tmp_path):
    with pytest.raises(DataError, match=rf"nowhere; datasets/{name}/README\.md tells"):
        load(name, tmp_path / "nowhere", tmp_path)


def test_unknown_benchmarks_are_answered_with_the_known():
    with pytest.raises(ConfigError, match="there are: courtyard, homographies"):
        BENCHMARKS.plugin("nonsense")


# ---------------------------------------------------------------------------------- strecha
@pytest.fixture
def facades(tmp_path):
    for name in ("east", "west"):
        scene = make_scene(tmp_path / "data" / name, [["0.png", "1.png", "2.png"]], points=60)
        write_text_model(scene.root / "gt", scene.gt.cameras, scene.gt.images.values())
    return tmp_path / "data"


def test_strecha_is_two_views_and_sfm_of_every_scene(facades, tmp_path):
    found = load("strecha", facades, tmp_path)
    assert [task.name for task in found.tasks] == ["east", "east SfM", "west", "west SfM"]
    views, sfm = found.tasks[:2]
    assert isinstance(sfm, SfmTask)
    assert views.names == sfm.names == [f"east/images/{i}.png" for i in range(3)]
    assert len(views.pairs) == 3
    assert views.protocol.at_long_side == 1024
    assert all((found.image_dir / name).is_file() for name in found.names)
    images, pair = sfm.gt.images, views.pairs[0]
    assert pair.b_from_a == pytest.approx(relative_pose(images[pair.name_a], images[pair.name_b]))
    assert len(load("strecha", facades, tmp_path, limit=2).tasks[0].pairs) == 2


def test_a_missing_photo_is_named(facades, tmp_path):
    (facades / "west" / "images" / "1.png").unlink()
    with pytest.raises(DataError, match=r"1 of 3 files are not under .*: west/images/1\.png"):
        load("strecha", facades, tmp_path)


def test_a_folder_without_scenes_says_so(tmp_path):
    with pytest.raises(DataError, match="no scene under"):
        load("strecha", tmp_path, tmp_path)


# -------------------------------------------------------------------------------- courtyard
@pytest.mark.slow
def test_the_courtyard_has_depth_for_every_pair(tmp_path, monkeypatch):
    small = partial(render_courtyard, size=(96, 64), count=6)
    monkeypatch.setattr(courtyard, "render_courtyard", small)
    views, sfm = load("courtyard", tmp_path / "yard", tmp_path).tasks
    assert len(sfm.pairs) == 15 > len(views.pairs) > 4
    pair = views.pairs[0]
    mapping = pair.mapping((96, 64), (96, 64))
    points = np.stack(np.meshgrid(np.arange(3.0, 94, 5), np.arange(3.0, 62, 5)), axis=-1)
    moved, known = mapping(points.reshape(-1, 2))
    assert 0.1 < known.mean() < 1
    back, seen = type(mapping)(mapping.view_b, mapping.view_a, mapping.tolerance)(moved[known])
    assert back[seen] == pytest.approx(points.reshape(-1, 2)[known][seen], abs=0.3)


@pytest.mark.slow
def test_a_perfect_detector_scores_100_on_the_courtyard(tmp_path, monkeypatch):
    """Keypoints that are where the depth says, linked by it, give the true poses."""
    small = partial(render_courtyard, size=(96, 64), count=2)
    monkeypatch.setattr(courtyard, "render_courtyard", small)
    root = tmp_path / "yard"
    gt = read_model(small(root) / "gt")
    pairs = courtyard.with_depth(pairs_of_model(gt, max_axis_deg=180), root)
    rng = np.random.default_rng(0)
    first = rng.uniform(0, 1, (4000, 2)) * [95, 63]
    moved, known = pairs[0].mapping((96, 64), (96, 64))(first)
    with FeatureWriter(tmp_path / "f.h5", {}) as writer:
        for name, points in ((pairs[0].name_a, first[known]), (pairs[0].name_b, moved[known])):
            scores = np.ones(len(points), np.float32)
            writer.write(name, Features(points.astype(np.float32), scores, (96, 64)))
    task = PoseTask(pairs, PoseProtocol(max_error_px=0.05))
    with FeatureReader(tmp_path / "f.h5") as reader:
        ranked = RankedReader(reader)
        tables = task.judge(ranked, TruthLinker(), [4000], tmp_path)
    for table in tables:
        assert table.values[4000]["matches"] == known.sum() > 20
        assert table.value(table.measures[0], 4000) > 99


# ----------------------------------------------------------------------------- homographies
@pytest.mark.slow
def test_photos_become_pairs_once(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for i in range(2):
        Image.effect_noise((80, 60), 60).convert("RGB").save(photos / f"{i}.png")
    found = load("homographies", photos, tmp_path / "work", limit=1)
    assert found.names == ["0000/a.png", "0000/b.png"]
    written = {p: p.stat().st_mtime_ns for p in found.image_dir.rglob("*.png")}
    assert len(written) == 2
    load("homographies", photos, tmp_path / "work", limit=1)
    assert {p: p.stat().st_mtime_ns for p in found.image_dir.rglob("*.png")} == written
    assert len(load("homographies", photos, tmp_path / "work").tasks[0].pairs) == 2
    (photos / "0.png").rename(photos / "2.png")
    others = load("homographies", photos, tmp_path / "work", limit=1)
    assert others.image_dir != found.image_dir


def test_a_folder_without_photos_says_so(tmp_path):
    with pytest.raises(DataError, match="no photos under"):
        load("homographies", tmp_path, tmp_path / "work")


# ---------------------------------------------------------------------------- megadepth1500
K = np.array([[500.0, 0, 40], [0, 510, 30], [0, 0, 1]])


def write_index(path, first, *, archive):
    """LoFTR's: object arrays, None for images that no pair uses; the published ones are no
    archives, but one pickled dict."""
    names = [f"Undistorted_SfM/0015/images/{first + i}.jpg" for i in range(3)]
    poses = [np.eye(4) for _ in names]
    for i, pose in enumerate(poses):
        pose[:3, 3] = [i, 0, 2]
    index = {
        "image_paths": np.array([None, *names], dtype=object),
        "depth_paths": np.array(
            [None, *(f"depths/{first + i}.h5" for i in range(3))], dtype=object
        ),
        "intrinsics": np.array([None, *[K] * 3], dtype=object),
        "poses": np.array([None, *poses], dtype=object),
        "pair_infos": np.array(
            [((1, 2), 0.25, np.zeros((4, 2))), ((2, 3), 0.2, np.zeros((1, 2)))], dtype=object
        ),
    }
    if archive:
        np.savez(path, **index)
    else:
        path.write_bytes(pickle.dumps(index))
    return names


@pytest.fixture
def megadepth(tmp_path):
    root = tmp_path / "mega"
    (root / "Undistorted_SfM/0015/images").mkdir(parents=True)
    for k, index in enumerate(INDICES):
        for name in write_index(root / index, 3 * k, archive=k == 0):
            Image.new("RGB", (80, 60)).save(root / name)
    return root


def test_megadepth_pairs_have_their_cameras_and_poses(megadepth, tmp_path):
    found = load("megadepth1500", megadepth, tmp_path)
    (task,) = found.tasks
    assert len(task.pairs) == 10
    assert task.protocol.estimators == ("essential", "fundamental")
    assert (task.protocol.runs, task.protocol.max_error_px) == (5, 2)
    assert task.protocol.at_long_side is None
    pair = task.pairs[0]
    assert pair.name_a == "Undistorted_SfM/0015/images/0.jpg"
    assert (intrinsics(pair.cameras[1]) == K).all()
    assert (pair.cameras[0].width, pair.cameras[0].height) == (80, 60)
    assert pair.b_from_a == pytest.approx(np.column_stack([np.eye(3), [1, 0, 0]]))
    assert pair.truth_files == (megadepth / "depths/0.h5", megadepth / "depths/1.h5")
    assert len(load("megadepth1500", megadepth, tmp_path, limit=4).tasks[0].pairs) == 4


def test_missing_indices_and_photos_are_named(megadepth, tmp_path):
    (megadepth / "Undistorted_SfM/0015/images/4.jpg").unlink()
    with pytest.raises(DataError, match=r"1 of 15 files .* Undistorted_SfM/0015/images/4\.jpg"):
        load("megadepth1500", megadepth, tmp_path)
    (megadepth / INDICES[1]).unlink()
    with pytest.raises(DataError, match=r"1 of 5 files are not under .*0015_0\.3_0\.5\.npz"):
        load("megadepth1500", megadepth, tmp_path)


def test_a_damaged_index_is_named(megadepth, tmp_path):
    path = megadepth / INDICES[2]
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match=r"0022_0\.1_0\.3\.npz: not an index"):
        load("megadepth1500", megadepth, tmp_path)


def test_a_pair_of_an_image_that_is_not_described_is_an_error(megadepth, tmp_path):
    with np.load(megadepth / INDICES[0], allow_pickle=True) as held:
        index = dict(held)
    index["pair_infos"][0] = ((0, 2), 0.25, None)
    np.savez(megadepth / INDICES[0], **index)
    with pytest.raises(DataError, match="does not describe"):
        load("megadepth1500", megadepth, tmp_path)


# --------------------------------------------------------------------------------- archives
def test_archives_are_read_as_numpy_reads_them(tmp_path):
    path = tmp_path / "a.npz"
    held = {
        "numbers": np.arange(6.0).reshape(2, 3),
        "objects": np.array([None, "x", (1, 2.5)], "O"),
    }
    np.savez(path, **held)
    found = read_npz(path, {"numbers", "objects"})
    assert (found["numbers"] == held["numbers"]).all()
    assert found["objects"].tolist() == [None, "x", (1, 2.5)]
    assert read_npz(path, set(), ["objects", "others"]).keys() == {"objects"}
    path.write_bytes(pickle.dumps(held))
    assert (read_npz(path, {"numbers"})["numbers"] == held["numbers"]).all()


class Dangerous:
    def __reduce__(self):
        return print, ("this must not run",)


def test_an_archive_runs_nothing(tmp_path, capsys):
    path = tmp_path / "a.npz"
    held = {"objects": np.array([Dangerous()], dtype=object)}
    for write in (lambda: np.savez(path, **held), lambda: path.write_bytes(pickle.dumps(held))):
        write()
        with pytest.raises(ArchiveError, match=r"a\.npz: .*builtins\.print"):
            read_npz(path, {"objects"})
    assert capsys.readouterr().out == ""


def test_archives_that_cannot_be_read_are_named(tmp_path):
    path = tmp_path / "a.npz"
    with pytest.raises(ArchiveError, match=r"a\.npz: no such file"):
        read_npz(path, {"x"})
    path.write_bytes(pickle.dumps([1]))
    with pytest.raises(ArchiveError, match=r"a\.npz: not an archive"):
        read_npz(path, {"x"})
    np.savez(path, y=np.zeros(2))
    with pytest.raises(ArchiveError, match="lacks x"):
        read_npz(path, {"x", "y"})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", b"nothing")
    with pytest.raises(ArchiveError, match=r"a\.npz: not an archive"):
        read_npz(path, {"x"})


def test_fewer_are_spread_evenly():
    assert evenly(range(10), 5) == [0, 2, 4, 6, 8]
    assert evenly(range(3), 5) == evenly(range(3), None) == [0, 1, 2]
