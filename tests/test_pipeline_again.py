"""Runs into a folder that holds something: results are never lost, and never of other photos."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from test_pipeline import SIFT, courtyard  # noqa: F401

from dad_sfm.colmap.cameras import CameraError
from dad_sfm.core.config import ConfigError
from dad_sfm.io.colmap_text import ModelError
from dad_sfm.io.ownership import OutputError
from dad_sfm.io.pairs_file import PairsError
from dad_sfm.io.scenes import default_output
from dad_sfm.io.store import FeatureReader, StoreError
from dad_sfm.pipeline import GivenFiles, reconstruct

# A part of the scene, for speed.
FEW = {**SIFT, "changes": {"features.model.max_keypoints": 600}, "num_threads": 1}


@pytest.fixture
def scene(courtyard: Path, tmp_path: Path) -> Path:  # noqa: F811
    """Four photos in a folder of their own, to be changed."""
    shutil.copytree(courtyard / "images", tmp_path / "day1" / "frames")
    (tmp_path / "day1" / "frames" / "4.jpg").unlink()
    return tmp_path / "day1" / "frames"


def read(out: Path, name: str = "report.json") -> dict:
    return json.loads((out / name).read_text(encoding="utf-8"))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name != "log.txt" and p.suffix != ".journal"
    }


# ------------------------------------------------------------------------------ whose results
def test_folders_of_one_name_have_outputs_of_their_own(
    scene: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = scene.parents[1] / "day2" / "frames"
    shutil.copytree(scene, other)
    assert default_output(scene) != default_output(other)
    assert default_output(scene) == default_output(str(scene) + "/")
    monkeypatch.chdir(scene.parent)
    assert default_output("frames") == default_output(scene)
    assert default_output(scene).name.startswith("frames-")
    assert default_output("courtyard") == Path("outputs/courtyard")


@pytest.mark.slow
def test_photos_changed_deleted_and_of_another_folder(scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = reconstruct(scene, out, **FEW)
    assert first.status == "complete"
    # Another folder is refused, and the first one's results are what they were.
    other = tmp_path / "day2" / "frames"
    shutil.copytree(scene, other)
    with Image.open(other / "0.jpg") as image:
        image.rotate(180).save(other / "0.jpg")
    before = contents(out)
    with pytest.raises(StoreError, match=r"not those of .*day2"):
        reconstruct(other, out, **FEW)
    after = contents(out)
    assert read(out, "report.failed.json")["failure"]["reason"] == "StoreError"
    assert {n: d for n, d in after.items() if ".failed." not in n} == before
    # A photo that is another one now, and one that is gone.
    shutil.copy(scene / "3.jpg", scene / "2.jpg")
    (scene / "0.jpg").unlink()
    second = reconstruct(scene, out, **FEW)
    assert second.gone_images == ["0.jpg"]
    assert {i.name for i in second.images} == {"1.jpg", "2.jpg", "3.jpg"}
    assert any("0.jpg" in text for text in second.warnings)
    assert not (out / "report.failed.json").exists()
    with FeatureReader(out / "features.h5") as reader:
        two, three = reader.read("2.jpg"), reader.read("3.jpg")
    assert (two.keypoints_px == three.keypoints_px).all()


@pytest.mark.slow
def test_a_failed_rerun_leaves_the_earlier_success(scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    reconstruct(scene, out, **FEW)
    model = contents(out / "sparse")
    report, database = (out / "report.json").read_bytes(), (out / "database.db").read_bytes()
    for name in ("0.jpg", "1.jpg", "2.jpg", "3.jpg"):
        Image.new("RGB", (480, 320), "grey").save(scene / name)
    with pytest.raises(ValueError, match="none of the 4 images has a keypoint"):
        reconstruct(scene, out, **FEW)
    assert contents(out / "sparse") == model
    assert (out / "report.json").read_bytes() == report
    assert (out / "database.db").read_bytes() == database
    assert read(out, "report.failed.json")["failure"]["reason"] == "no_keypoints"


# --------------------------------------------------------------------------- the user's files
def test_a_model_of_the_users_in_the_scene_stays(scene: Path) -> None:
    (scene / "sparse" / "0").mkdir(parents=True)
    (scene / "sparse" / "0" / "cameras.bin").write_text("mine")
    (scene / "database.db").write_text("mine")
    before = contents(scene)
    with pytest.raises(OutputError, match=r"database\.db, sparse/0/cameras\.bin"):
        reconstruct(scene, scene, **FEW)
    assert contents(scene) == before
    assert not (scene / "log.txt").exists()


@pytest.mark.slow
def test_the_scene_itself_as_output(scene: Path) -> None:
    """Again and again: results are not taken for photos."""
    place = scene.parent
    scene.rename(place / "images")
    for _ in range(2):
        report = reconstruct(place, place, **FEW)
        assert len(report.images) == 4
    assert not (place / "images").is_symlink()
    report = reconstruct(place / "images", place / "images" / "out", **FEW)
    report = reconstruct(place / "images", place / "images" / "out", **FEW)
    assert len(report.images) == 4


# -------------------------------------------------------------------- checked before work starts
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"cameras": {"model": "PINHOL"}}, CameraError, "'PINHOL'"),
        ({"cameras": {"mode": "single"}}, CameraError, "images of one size"),
        ({"num_threads": 0}, ConfigError, "num_threads"),
        ({"device": "cpux"}, ValueError, "cpux"),
        ({"pairing": {"strategy": "sequential", "options": {"overlap": 0}}}, ValueError, "overlap"),
        ({"mapping": {"options": {"mapper.nothing": 1}}}, ConfigError, "nothing"),
        ({"given": {"pairs": "none.txt"}}, FileNotFoundError, r"none\.txt"),
        ({"image_list": "list.txt"}, FileNotFoundError, r"list\.txt"),
    ],
)
def test_nothing_is_extracted_with_options_that_fail_later(
    scene: Path, tmp_path: Path, options: dict, error: type, message: str
) -> None:
    Image.new("RGB", (100, 80)).save(scene / "small.jpg")
    if "given" in options:
        options = {"given": GivenFiles(pairs=tmp_path / options["given"]["pairs"])}
    with pytest.raises(error, match=message):
        reconstruct(scene, tmp_path / "out", **{**FEW, **options})
    assert not (tmp_path / "out" / "features.h5").exists()


def test_a_line_of_the_ground_truth_is_read_first(scene: Path, tmp_path: Path) -> None:
    place = scene.parent
    scene.rename(place / "images")
    (place / "gt").mkdir()
    for name in ("cameras.txt", "points3D.txt"):
        (place / "gt" / name).write_text("")
    (place / "gt" / "images.txt").write_text("not a line of images.txt\n\n")
    with pytest.raises(ModelError, match="gt: not a COLMAP model"):
        reconstruct(place, tmp_path / "out", **FEW)
    assert not (tmp_path / "out" / "features.h5").exists()
    assert read(tmp_path / "out")["failure"]["reason"] == "ModelError"


# ------------------------------------------------------------------------- files of other tools
@pytest.mark.slow
def test_pairs_features_and_matches_that_are_given(scene: Path, tmp_path: Path) -> None:
    first = reconstruct(scene, tmp_path / "one", **FEW)
    some = tmp_path / "some.txt"
    some.write_text("0.jpg 1.jpg\n1.jpg 2.jpg\n0.jpg 2.jpg\n1.jpg 3.jpg\n2.jpg 3.jpg\n")
    features, matches = tmp_path / "one" / "features.h5", tmp_path / "one" / "matches.h5"
    second = reconstruct(scene, tmp_path / "two", given=GivenFiles(some), **FEW)
    assert len(second.pairs) == 5
    given = GivenFiles(some, features)
    third = reconstruct(scene, tmp_path / "three", given=given, **FEW)
    assert [p.matches for p in third.pairs] == [p.matches for p in second.pairs]
    assert not (tmp_path / "three" / "features.h5").exists()
    given = GivenFiles(None, features, matches)
    fourth = reconstruct(scene, tmp_path / "four", given=given, **FEW)
    assert [p.inliers for p in fourth.pairs] == [p.inliers for p in first.pairs]
    assert len(fourth.registered) == 4
    assert not (tmp_path / "four" / "matches.h5").exists()
    with pytest.raises(ConfigError, match="give both"):
        GivenFiles(matches=matches)
    some.write_text("0.jpg 9.jpg\n")
    with pytest.raises(PairsError, match=r"some\.txt names 1 images that are not under"):
        reconstruct(scene, tmp_path / "five", given=GivenFiles(some), **FEW)


@pytest.mark.slow
def test_an_image_list_chooses_photos(scene: Path, tmp_path: Path) -> None:
    chosen = tmp_path / "list.txt"
    chosen.write_text("# three\n0.jpg\n1.jpg\n2.jpg\n")
    reconstruct(scene, tmp_path / "out", **FEW)
    report = reconstruct(scene, tmp_path / "out", image_list=chosen, **FEW)
    assert {i.name for i in report.images} == {"0.jpg", "1.jpg", "2.jpg"}
    assert len(report.pairs) == 3
