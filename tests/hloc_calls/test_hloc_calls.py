"""A script for hloc runs with ``from dad_sfm import`` in place of ``from hloc import``."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pycolmap
import pytest
from projected import Scene, make_scene

from dad_sfm.core.config import ConfigError
from dad_sfm.io.pairs_file import PairsError, read_pairs

NAMES = ["a.png", "b.png", "c.png", "d.png"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return make_scene(tmp_path_factory.mktemp("scene"), [NAMES])


@pytest.fixture(scope="module")
def arguments(scene: Scene) -> tuple[Path, ...]:
    """image_dir, pairs, features, matches: hloc's order."""
    return tuple(Path(scene.inputs[k]) for k in ("image_dir", "pairs", "features", "matches"))


@pytest.fixture(scope="module")
def sfm(arguments: tuple[Path, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    from dad_sfm import reconstruction

    folder = tmp_path_factory.mktemp("sfm")
    model = reconstruction.main(
        folder, *arguments, camera_mode=pycolmap.CameraMode.SINGLE, image_list=NAMES
    )
    assert isinstance(model, pycolmap.Reconstruction)
    assert sorted(image.name for image in model.images.values()) == NAMES
    return folder


def test_reconstruction_leaves_what_hloc_leaves(sfm: Path) -> None:
    assert pycolmap.Reconstruction(str(sfm)).num_reg_images() == len(NAMES)
    with pycolmap.Database.open(str(sfm / "database.db")) as db:
        assert db.num_cameras() == 1


def test_triangulation(sfm: Path, arguments: tuple[Path, ...], tmp_path: Path) -> None:
    from dad_sfm import triangulation

    known = pycolmap.Reconstruction(str(sfm))
    model = triangulation.main(tmp_path / "triangulated", sfm, *arguments)
    assert model.num_points3D() > 0.9 * known.num_points3D()


def test_localization(scene: Scene, sfm: Path, arguments: tuple[Path, ...], tmp_path: Path) -> None:
    from dad_sfm import localize_sfm

    camera = scene.gt.camera_of("d.png")
    numbers = [camera.width, camera.height, *camera.params]
    (tmp_path / "queries.txt").write_text(f"d.png {camera.model} {' '.join(map(str, numbers))}")
    (tmp_path / "retrieval.txt").write_text("d.png a.png\nd.png b.png\n")
    lists = tmp_path / "queries.txt", tmp_path / "retrieval.txt"
    results = tmp_path / "results.txt"
    localize_sfm.main(sfm, *lists, *arguments[2:], results, ransac_thresh=4)
    shown, *pose = results.read_text().split()
    known = next(i for i in pycolmap.Reconstruction(str(sfm)).images.values() if i.name == shown)
    assert shown == "d.png"
    expected = known.cam_from_world().translation
    np.testing.assert_allclose([float(v) for v in pose[4:]], expected, atol=0.02)


def test_what_is_not_offered_says_so(arguments: tuple[Path, ...], tmp_path: Path) -> None:
    from dad_sfm import extract_features, localize_sfm, reconstruction

    with pytest.raises(ConfigError, match="min_match_score is not offered: choose a matcher"):
        reconstruction.main(tmp_path, *arguments, min_match_score=0.5)
    with pytest.raises(ConfigError, match="image_options: 'single_camera' not offered"):
        reconstruction.main(tmp_path, *arguments, image_options={"single_camera": True})
    with pytest.raises(ConfigError, match="covisibility_clustering is not offered"):
        localize_sfm.main("sfm", "q.txt", "p.txt", "f.h5", "m.h5", "r.txt", 12, True)
    with pytest.raises(ConfigError, match="unknown feature preset 'netvlad'; there are: "):
        extract_features.confs["netvlad"]
    with pytest.raises(ImportError, match=r"dad_sfm has no visualization: report\.html"):
        from dad_sfm import visualization  # noqa: F401


def test_pairs_from_exhaustive(tmp_path: Path) -> None:
    from dad_sfm import pairs_from_exhaustive

    path = tmp_path / "pairs.txt"
    pairs_from_exhaustive.main(path, image_list=["c", "a", "b"])
    assert read_pairs(path) == [("c", "a"), ("c", "b"), ("a", "b")]
    pairs_from_exhaustive.main(path, image_list=["q"], ref_list=["a", "b"])
    assert read_pairs(path) == [("q", "a"), ("q", "b")]


def write_angles(path: Path, angles: dict[str, float]) -> None:
    """Global descriptors on a circle: near ones are alike."""
    with h5py.File(path, "w") as file:
        for name, angle in angles.items():
            vector = np.array([np.cos(angle), np.sin(angle)], np.float32)
            file[f"{name}/global_descriptor"] = vector


def test_pairs_from_retrieval(tmp_path: Path) -> None:
    from dad_sfm import pairs_from_retrieval

    write_angles(tmp_path / "global.h5", {"a": 0.0, "b": 0.1, "x/c": 1.5, "x/d": 1.7})
    pairs_from_retrieval.main(tmp_path / "global.h5", tmp_path / "pairs.txt", num_matched=1)
    found = {frozenset(pair) for pair in read_pairs(tmp_path / "pairs.txt")}
    assert found == {frozenset(("a", "b")), frozenset(("x/c", "x/d"))}


def test_queries_are_paired_with_a_database(tmp_path: Path) -> None:
    from dad_sfm import pairs_from_retrieval

    write_angles(tmp_path / "db.h5", {"db/a": 0.0, "db/b": 0.2, "other/c": 1.0})
    write_angles(tmp_path / "queries.h5", {"query/d": 0.3, "query/e": 1.1})
    calls = {"descriptors": tmp_path / "queries.h5", "output": tmp_path / "pairs.txt"}
    pairs_from_retrieval.main(
        **calls, num_matched=1, db_prefix=["db"], db_descriptors=tmp_path / "db.h5"
    )
    assert read_pairs(tmp_path / "pairs.txt") == [("query/d", "db/b"), ("query/e", "db/b")]
    pairs_from_retrieval.main(
        **calls,
        num_matched=2,
        query_list=["query/e"],
        db_list=["query/d", "query/e", "other/c"],
        db_descriptors=[tmp_path / "db.h5", tmp_path / "queries.h5"],
    )
    assert read_pairs(tmp_path / "pairs.txt") == [("query/e", "other/c"), ("query/e", "query/d")]
    with pytest.raises(PairsError, match="query_prefix or query_list names no image"):
        pairs_from_retrieval.main(**calls, num_matched=1, query_prefix="day/")


def test_pairs_from_a_model(sfm: Path, tmp_path: Path) -> None:
    from dad_sfm import pairs_from_covisibility, pairs_from_poses

    pairs_from_covisibility.main(sfm, tmp_path / "covis.txt", num_matched=3)
    assert len(read_pairs(tmp_path / "covis.txt")) == 6
    pairs_from_poses.main(sfm, tmp_path / "poses.txt", 1, rotation_threshold=180)
    assert {name for pair in read_pairs(tmp_path / "poses.txt") for name in pair} == set(NAMES)
