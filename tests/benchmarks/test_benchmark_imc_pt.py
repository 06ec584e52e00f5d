"""MegaDepth IMC-PT on a small set in its layout, through the whole runner."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from room import judged, make_room, worst_auc, write_perfect_features, write_photo

from dad_sfm.benchmarks.datasets.base import DataError, Source
from dad_sfm.benchmarks.datasets.imc_pt import INDICES, SCENES, load
from dad_sfm.benchmarks.datasets.megadepth1500 import MEGADEPTH
from dad_sfm.evaluation.linking import NoTruthError

PHOTOS = ["a_o.jpg", "b_o.jpg", "c_o.jpg"]


def as_objects(values):
    """The published indices keep Python objects."""
    array = np.empty(len(values), object)
    array[:] = values
    return array


def write_index(path, room, scene):
    """LoFTR's format: arrays over all images of a scene, None for those without a pose, and pairs
    of their numbers with the overlap and the points in common.  The published ones of this
    benchmark name no depth."""
    cameras = [room.cameras[photo].to_colmap().params for photo in PHOTOS]
    K = [np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]) for fx, fy, cx, cy in cameras]
    poses = [np.vstack([room.cameras[photo].cam_from_world, [0, 0, 0, 1]]) for photo in PHOTOS]
    paths = [f"Undistorted_SfM/{scene}/images/{photo}" for photo in PHOTOS]
    np.savez(
        path,
        image_paths=as_objects([None, *paths]),
        intrinsics=as_objects([None, *K]),
        poses=as_objects([None, *poses]),
        pair_infos=as_objects([(np.array([1, 3]), 0.2, None), ((3, 2), 0.3, None)]),
    )


@pytest.fixture
def megadepth(tmp_path):
    root, room = tmp_path / "megadepth", make_room(PHOTOS)
    root.mkdir()
    views = {f"Undistorted_SfM/{scene}/images/{p}": p for scene in SCENES for p in PHOTOS}
    for name in views:
        write_photo(root / name)
    for index in INDICES:
        write_index(root / index, room, index.split("_")[3])
        write_depth(root, room, index.split("_")[3])
    write_perfect_features(root / "f.h5", room, views)
    return root


def write_depth(root, room, scene):
    """In the release the images of a scene are spread over its parts."""
    for part, photo in enumerate(PHOTOS):
        path = root / MEGADEPTH / scene / f"dense{part}" / "depths" / f"{Path(photo).stem}.h5"
        path.parent.mkdir(parents=True, exist_ok=True)
        with h5py.File(path, "w") as file:
            file["depth"] = room.depth(photo)


@pytest.mark.slow
@pytest.mark.parametrize("linker", ["NN-mutual", "truth"])
def test_a_perfect_detector_scores_all(megadepth, linker):
    tables = judged("imc-pt", megadepth, linker=linker, limit=8)
    assert [t.name for t in tables] == ["imc-pt essential", "imc-pt fundamental"]
    for table in tables:
        assert len(table.items) == 8
        assert worst_auc(table) > 99, table.name


def test_missing_depth_is_named_where_the_truth_needs_it(megadepth):
    missing = megadepth / MEGADEPTH / "0021" / "dense1" / "depths" / "b_o.h5"
    missing.unlink()
    (missing.parents[2] / "dense2" / "depths" / "c_o.h5").unlink()
    with pytest.raises(NoTruthError, match=r"no such depth map: .*b_o\.h5.*\(2 are missing\)"):
        judged("imc-pt", megadepth, linker="truth")
    assert len(judged("imc-pt", megadepth, linker="NN-mutual", limit=1)) == 2


def test_photos_of_the_release_serve_where_there_are_no_others(megadepth, tmp_path):
    for depth in (megadepth / MEGADEPTH).rglob("*.h5"):
        write_photo(depth.parents[1] / "imgs" / f"{depth.stem}.jpg")
    shutil.rmtree(megadepth / "Undistorted_SfM")
    names = load(Source(megadepth, tmp_path)).names
    assert names[0] == f"{MEGADEPTH}/0008/dense0/imgs/a_o.jpg"
    assert len(names) == 24


def test_all_indices_are_read(megadepth, tmp_path):
    dataset = load(Source(megadepth, tmp_path))
    assert len(INDICES) == 16
    assert len(dataset.tasks[0].pairs) == 32
    assert len(dataset.names) == 24


@pytest.mark.parametrize("missing", [INDICES[3], "Undistorted_SfM/0063/images/b_o.jpg"])
def test_a_missing_file_is_named(megadepth, tmp_path, missing):
    (megadepth / missing).unlink()
    with pytest.raises(DataError, match=r"1 of .* not under") as error:
        load(Source(megadepth, tmp_path))
    assert missing in str(error.value)
    assert "datasets/imc-pt/README.md" in str(error.value)


def test_a_wrong_index_is_named(megadepth, tmp_path):
    np.savez(megadepth / INDICES[0], image_paths=np.array(["a.jpg"]))
    with pytest.raises(DataError, match="lacks intrinsics, pair_infos, poses") as error:
        load(Source(megadepth, tmp_path))
    assert str(megadepth / INDICES[0]) in str(error.value)
