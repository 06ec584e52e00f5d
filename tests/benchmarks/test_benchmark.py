"""The whole run: features in, a result out; and what is said when files do not fit."""

import h5py
import numpy as np
import pytest
from PIL import Image
from projected import make_scene

from dad_sfm import cli
from dad_sfm.benchmarks import runner
from dad_sfm.benchmarks.feature_source import FeatureSource
from dad_sfm.benchmarks.results import read_result
from dad_sfm.commands.benchmark import _with_linker
from dad_sfm.core.config import ConfigError
from dad_sfm.evaluation.linking import NoTruthError
from dad_sfm.io.colmap_text import write_text_model
from dad_sfm.io.store import FeatureReader, FeatureWriter, MatchReader, MatchWriter, StoreError

NAMES = ["0.png", "1.png", "2.png"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data set in Strecha's layout; its features and matches under the benchmark's names."""
    root = tmp_path_factory.mktemp("strecha")
    scene = make_scene(root / "house", [NAMES], points=300)
    write_text_model(scene.root / "gt", scene.gt.cameras, scene.gt.images.values())
    inputs = scene.inputs
    with FeatureReader(inputs["features"]) as reader, FeatureWriter(root / "f.h5", {}) as writer:
        for name in NAMES:
            writer.write(f"house/images/{name}", reader.read(name))
    with MatchReader(inputs["matches"]) as reader, MatchWriter(root / "m.h5", {}) as writer:
        for a, b in [(0, 1), (0, 2), (1, 2)]:
            found = reader.read(NAMES[a], NAMES[b])
            writer.write(f"house/images/{NAMES[a]}", f"house/images/{NAMES[b]}", found)
    return root


def run(data, tmp_path, **options):
    given = {"features": data / "f.h5", "matches": data / "m.h5", "budgets": [300], **options}
    return runner.main("strecha", data=data, out=tmp_path, device="cpu", **given)


def test_features_and_matches_of_any_tool_become_a_result(data, tmp_path):
    path = run(data, tmp_path, budgets=[400, 100])
    assert path == tmp_path / "strecha" / "f,m.json"
    result = read_result(path)
    assert result.budgets == (100, 400)
    assert [t.name for t in result.tables] == ["house essential", "house SfM", "house SfM images"]
    views = result.tables[0]
    assert views.value(views.measures[0], 400) > 95
    assert result.made_by["linker"]["file"] == "m.h5"
    protocol = result.made_by["protocol"]
    assert (protocol["house"]["runs"], protocol["house"]["seed"]) == (3, 0)
    assert protocol["house SfM"]["camera_model"] == "SIMPLE_RADIAL"
    assert result.made_by["data"] == {"folder": data.name, "images": 3, "limit": None}
    assert result.made_by["machine"]["device"] == "cpu"
    assert result.made_by["machine"]["processor"]
    assert {"poselib", "numpy", "dad_sfm"} <= result.made_by["versions"].keys()
    assert set(result.seconds) == {"data", "features", "linking", "judging"}


def test_features_as_hloc_leaves_them_are_judged(data, tmp_path):
    """Half precision, another name of the scores, no attributes, no order."""
    with FeatureReader(data / "f.h5") as reader, h5py.File(tmp_path / "hloc.h5", "w") as file:
        for name in reader.names():
            given = reader.read(name)
            group = file.create_group(name)
            group["keypoints"] = given.keypoints_px.astype(np.float16)
            group["keypoint_scores"] = np.linspace(0, 1, len(given)).astype(np.float16)
            group["descriptors"] = np.eye(128, len(given), dtype=np.float16)
            group["image_size"] = np.array(given.image_size)
    views = read_result(run(data, tmp_path, features=tmp_path / "hloc.h5")).tables[0]
    (loose,) = [m for m in views.measures if m.name == "AUC@5°"]
    assert views.value(loose, 300) > 90


def write_photos(folder, seed):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for i in range(2):
        coarse = Image.fromarray(rng.integers(0, 255, (24, 32, 3), dtype=np.uint8))
        coarse.resize((320, 240), Image.Resampling.BICUBIC).save(folder / f"{i}.png")
    return folder


def judge_sift(photos, out):
    line = (
        f"benchmark homographies --data {photos} --features sift --linker truth "
        f"--budgets 20 60 --out {out} --device cpu"
    )
    assert cli.main(line.split()) == 0
    return read_result(out / "homographies" / "sift,truth.json")


@pytest.mark.slow
def test_photos_of_one_name_are_not_taken_for_others(tmp_path):
    """Two folders of the same name, whose pairs have the same names, in one output folder."""
    first, second = (write_photos(tmp_path / str(n) / "images", seed=n) for n in range(2))
    judge_sift(first, tmp_path / "out")
    after, alone = (judge_sift(second, tmp_path / out) for out in ("out", "other"))
    for ours, theirs in zip(after.tables, alone.tables, strict=True):
        for column, values in ours.values[60].items():
            np.testing.assert_array_equal(values, theirs.values[60][column])


@pytest.mark.slow
def test_one_descriptor_for_all_detectors(tmp_path, capsys):
    """A preset's points and another tool's, both described by ours."""
    line = (
        f"benchmark homographies --data {write_photos(tmp_path / 'photos', seed=0)} --budgets 60 "
        f"--out {tmp_path / 'out'} --device cpu --descriptor rootsift --features "
    )
    assert cli.main((line + "sift").split()) == 0
    (own,) = tmp_path.rglob("extracted/sift-n60.h5")
    theirs = tmp_path / "theirs.h5"
    with FeatureReader(own) as reader, h5py.File(theirs, "w") as file:
        for name in reader.names():
            found = reader.read(name)
            file[f"{name}/keypoints"] = found.keypoints_px
            file[f"{name}/scores"] = found.scores
            file[f"{name}/image_size"] = found.image_size
    assert cli.main((line + f"sift {theirs}").split()) == 0
    ours, other = (
        read_result(tmp_path / "out" / "homographies" / f"{name}+rootsift,NN-mutual.json")
        for name in ("sift", "theirs")
    )
    assert other.made_by["features"]["keypoints"] == {"file": "theirs.h5"}
    assert ours.made_by["features"]["descriptor"]["name"] == "rootsift"
    matches = ours.tables[0].values[60]["matches"]
    assert (matches > 0).all()
    np.testing.assert_array_equal(other.tables[0].values[60]["matches"], matches)


@pytest.mark.slow
def test_photos_of_several_folders_and_what_has_no_checkpoint(tmp_path, capsys, monkeypatch):
    """The table of detectors: options of one, a row for each that can run, light keypoints."""
    monkeypatch.setenv("DAD_SFM_WEIGHTS", str(tmp_path))
    folders = [write_photos(tmp_path / str(n) / "images", seed=n) for n in range(2)]
    line = (
        f"benchmark homographies --data {folders[0]} {folders[1]} --linker truth --budgets 60 "
        f"--out {tmp_path / 'out'} --device cpu --features sift dad-nano superpoint "
        "--set balance=0 subpixel=false"
    )
    assert cli.main(line.split()) == 0
    printed = capsys.readouterr()
    assert "superpoint is left out: " in printed.err
    assert "superpoint" not in printed.out
    results = tmp_path / "out" / "homographies"
    nano = read_result(results / "dad-nano,balance=0,subpixel=False,truth.json")
    assert nano.made_by["features"]["detector"]["balance"] == 0
    table = read_result(results / "sift,truth.json").table("homography keypoints")
    assert len(table.items) == 4
    light = table.values[60]["light"]
    assert ((light > 0) & (light < 1)).all()


def test_one_folder_where_a_benchmark_takes_one(tmp_path):
    with pytest.raises(ConfigError, match="hpatches takes one folder of data, not 2"):
        runner.load("hpatches", data=[tmp_path, tmp_path])


def test_scenes_from_several_places_and_a_linker_for_one_of_them(data, tmp_path, capsys):
    line = f"benchmark strecha --data {data / 'house'} {data} --images {tmp_path / 'n.txt'}"
    assert cli.main(line.split()) == 0
    names = (tmp_path / "n.txt").read_text().splitlines()
    assert names == [f"house/images/{name}" for name in NAMES]
    assert _with_linker("sift:NN-ratio", "truth") == ("sift", "NN-ratio")
    assert _with_linker("C:/theirs.h5", "truth") == ("C:/theirs.h5", "truth")


def test_what_features_are_called():
    assert FeatureSource("a/theirs.h5", descriptor="rootsift").label == "theirs+rootsift"
    assert FeatureSource("dad-nano+rootsift").label == "dad-nano+rootsift"
    nano = FeatureSource("dad-nano+rootsift", weights="x/mine.pth", descriptor="aliked-n16")
    assert nano.label == "dad-nano@mine+aliked-n16"
    runs = [f"runs/{name}/weights.safetensors" for name in ("light", "dark")]
    labels = [FeatureSource("dad-nano", weights=run).label for run in runs]
    assert labels == ["dad-nano@light-weights", "dad-nano@dark-weights"]


def test_features_of_one_name_are_refused(tmp_path, capsys):
    line = f"benchmark homographies --features {tmp_path}/a/f.h5 {tmp_path}/b/f.h5"
    assert cli.main(line.split()) == cli.USER_ERROR
    assert "several of the features are called f" in capsys.readouterr().err


def test_other_tools_are_told_what_to_extract(data, tmp_path, capsys):
    line = f"benchmark strecha --data {data} --images {tmp_path / 'names.txt'}"
    assert cli.main(line.split()) == 0
    assert capsys.readouterr().out == f"{data}\n"
    names = (tmp_path / "names.txt").read_text().splitlines()
    assert names == [f"house/images/{name}" for name in NAMES]


@pytest.mark.slow
def test_a_preset_is_extracted_at_the_largest_budget(tmp_path):
    result = judge_sift(write_photos(tmp_path / "photos", seed=0), tmp_path / "out")
    table = result.table("homography keypoints")
    points = next(m for m in table.measures if m.name == "points")
    assert [table.value(points, n) for n in (20, 60)] == [20, 60]
    assert result.made_by["features"]["detector"]["max_keypoints"] == 60
    assert result.made_by["linker"] == {"name": "truth", "max_px": 3.0}
    assert "COLMAP" in result.made_by["licences"]["features"][0]


@pytest.mark.slow
def test_compare_prints_and_plots(data, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    first, second = (run(data, tmp_path / str(n), budgets=[n]) for n in (100, 300))
    assert cli.main(["compare", str(first), str(second), "--plots", str(tmp_path / "plots")]) == 0
    printed = capsys.readouterr().out
    assert "### strecha: house essential" in printed
    assert "Difference to `f, m`" in printed
    assert len(list((tmp_path / "plots").glob("*.svg"))) == 3
    assert cli.main(["compare", "nowhere.json"]) == cli.USER_ERROR


# ---------------------------------------------------------------------- files that do not fit
def test_a_damaged_feature_file_is_named(data, tmp_path):
    (tmp_path / "bad.h5").write_bytes(b"nothing")
    with pytest.raises(StoreError, match=r"bad\.h5: cannot be opened"):
        run(data, tmp_path, features=tmp_path / "bad.h5")
    with pytest.raises(FileNotFoundError, match=r"none\.h5"):
        run(data, tmp_path, features=tmp_path / "none.h5")


def changed(data, tmp_path, change):
    path = tmp_path / "other.h5"
    path.write_bytes((data / "f.h5").read_bytes())
    with h5py.File(path, "a") as file:
        change(file)
    return path


def test_missing_scores_are_told(data, tmp_path, caplog):
    path = changed(data, tmp_path, lambda file: file.__delitem__("house/images/1.png/scores"))
    run(data, tmp_path, features=path, limit=1)
    assert "other.h5: no scores, or all equal, in 1 of 3 images" in caplog.text


def test_images_without_features_are_named(data, tmp_path):
    path = changed(data, tmp_path, lambda file: file.__delitem__("house/images/1.png"))
    with pytest.raises(StoreError, match=r"other\.h5: lacks 1 of .* 3 images: house/images/1\.png"):
        run(data, tmp_path, features=path)


def test_features_of_resized_photos_are_refused(data, tmp_path):
    def change(file):
        file["house/images/2.png/image_size"][...] = (400, 300)

    with pytest.raises(StoreError, match=r"2\.png is said to have 400×300 .* has 800×600"):
        run(data, tmp_path, features=changed(data, tmp_path, change))


def test_features_without_descriptors_need_another_linker(data, tmp_path):
    with pytest.raises(StoreError, match=r"f\.h5: has no descriptors for 3 images"):
        run(data, tmp_path, matches=None)


def test_the_truth_needs_depth(data, tmp_path):
    with pytest.raises(NoTruthError, match="no depth"):
        run(data, tmp_path, matches=None, linker="truth")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"features": "nonsense"}, "unknown feature preset 'nonsense'.*dad-nano"),
        ({"matches": None, "linker": "x"}, "unknown linker 'x'; there are: truth, .*roma"),
        ({"matches": None, "linker": "truth", "linker_options": {"weights": "w"}}, "no options"),
        ({"budgets": [0]}, "positive"),
    ],
)
def test_unknown_options_are_answered(data, tmp_path, options, message):
    with pytest.raises(ConfigError, match=message):
        run(data, tmp_path, **options)
