"""IMW 2020 phototourism on small sets in its layout, through the whole runner."""

import h5py
import numpy as np
import pytest
from room import SIZE, judged, make_room, worst_auc, write_perfect_features, write_photo

from dad_sfm.benchmarks.datasets.base import DataError, Source
from dad_sfm.benchmarks.datasets.imw2020 import PAIRS, SCENES, load
from dad_sfm.core.types import Features
from dad_sfm.evaluation.metric_table import mean_accuracy
from dad_sfm.io.store import FeatureWriter

IMAGES = ["00157896_1", "10046399_2", "33119982_3"]
KEYS = {
    "reichstag": ["33119982_3-00157896_1"],
    "sacre_coeur": ["10046399_2-00157896_1", "33119982_3-00157896_1", "33119982_3-10046399_2"],
    "st_peters_square": ["33119982_3-10046399_2"],
}


def write_h5(path, **arrays):
    path.parent.mkdir(exist_ok=True)
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array


@pytest.fixture
def phototourism(tmp_path):
    root, room, views = tmp_path / "phototourism", make_room(IMAGES), {}
    for scene in SCENES:
        folder = root / scene / "set_100"
        for image in IMAGES:
            write_photo(folder / f"images/{image}.jpg")
            camera = room.cameras[image]
            fx, fy, cx, cy = camera.to_colmap().params
            write_h5(
                folder / f"calibration/calibration_{image}.h5",
                K=np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]),
                R=camera.cam_from_world[:, :3],
                T=camera.cam_from_world[:, 3],
            )
            write_h5(folder / f"depth_maps/{image}.h5", depth=room.depth(image))
        (folder / PAIRS).parent.mkdir()
        np.save(folder / PAIRS, np.array(KEYS[scene]))
        views |= {f"{scene}/set_100/images/{image}.jpg": image for image in IMAGES}
    write_perfect_features(root / "f.h5", room, views)
    return root


@pytest.mark.slow
@pytest.mark.parametrize("linker", ["NN-mutual", "truth"])
def test_a_perfect_detector_scores_all(phototourism, linker):
    tables = judged("imw2020", phototourism, linker=linker)
    assert [t.name for t in tables] == [
        f"{scene} {estimator}"
        for scene in ("mean of scenes", *SCENES)
        for estimator in ("essential", "fundamental")
    ]
    for table in tables:
        (accuracy,) = (m for m in table.measures if m.name == "mAA@10°")
        assert table.value(accuracy, 512) == pytest.approx(100)
        assert worst_auc(table) > 99
    assert tables[0].items == SCENES
    assert [len(t.items) for t in tables[2::2]] == [1, 3, 1]


@pytest.mark.slow
def test_the_mean_weighs_scenes_equally(phototourism):
    """One scene of a single pair has an image without points: a third is lost, not a fifth."""
    nothing = Features(np.zeros((0, 2), np.float32), np.zeros(0, np.float32), SIZE)
    with FeatureWriter(phototourism / "f.h5", {"made_by": "tests"}) as writer:
        writer.write(f"st_peters_square/set_100/images/{IMAGES[2]}.jpg", nothing)
    tables = {t.name: t for t in judged("imw2020", phototourism, linker="truth")}
    mean = tables["mean of scenes essential"]
    (failed,) = tables["st_peters_square essential"].values[512]["error_deg"]
    assert np.isinf(failed).all()
    (measure,) = (m for m in mean.measures if m.name == "mAA@10°")
    assert mean.value(measure, 512) == pytest.approx(200 / 3)


def test_mean_accuracy_by_hand():
    """Of ten thresholds 0.5° is below all, 3.2° below 4 to 10, 12° below none."""
    errors = np.array([[0.5], [3.2], [12.0], [np.inf]])
    assert mean_accuracy(errors, 10) == pytest.approx(np.array([[1.0], [0.7], [0], [0]]))
    histogram = np.cumsum(np.histogram([0.5, 3.2, 12.0, 1e6], np.arange(11))[0]) / 4
    assert mean_accuracy(errors, 10).mean() == pytest.approx(histogram.mean())


def test_a_limit_is_one_of_each_scene(phototourism, tmp_path):
    (task,) = load(Source(phototourism, tmp_path, limit=2)).tasks
    assert [len(scene.pairs) for scene in task.scenes] == [1, 2, 1]


@pytest.mark.parametrize(
    "missing",
    [
        f"sacre_coeur/set_100/{PAIRS}",
        f"sacre_coeur/set_100/images/{IMAGES[1]}.jpg",
        f"reichstag/set_100/calibration/calibration_{IMAGES[0]}.h5",
    ],
)
def test_a_missing_file_is_named(phototourism, tmp_path, missing):
    (phototourism / missing).unlink()
    with pytest.raises(DataError, match=r"1 of .* not under") as error:
        load(Source(phototourism, tmp_path))
    assert missing in str(error.value)
    assert "datasets/imw2020/README.md" in str(error.value)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (np.array([]), "it is empty"),
        (np.array(["a_b"]), "'a_b' names no pair"),
        (np.array([None, "a-b"], object), "not a list of pairs"),
    ],
)
def test_a_wrong_list_of_pairs_is_named(phototourism, tmp_path, keys, message):
    path = phototourism / "reichstag" / "set_100" / PAIRS
    np.save(path, keys)
    with pytest.raises(DataError, match=message) as error:
        load(Source(phototourism, tmp_path))
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("arrays", "message"), [({"K": np.eye(3)}, "lacks R, T"), (None, "cannot be opened")]
)
def test_a_wrong_calibration_is_named(phototourism, tmp_path, arrays, message):
    path = phototourism / f"reichstag/set_100/calibration/calibration_{IMAGES[0]}.h5"
    if arrays is None:
        path.write_bytes(b"no HDF5")
    else:
        write_h5(path, **arrays)
    with pytest.raises(DataError, match=message) as error:
        load(Source(phototourism, tmp_path))
    assert str(path) in str(error.value)
