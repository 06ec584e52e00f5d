import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest
from projected import SIZE, features, make_scene

from dad_sfm import database, reconstruction
from dad_sfm.core.types import Matches
from dad_sfm.io.colmap_text import write_text_model
from dad_sfm.io.output import Output
from dad_sfm.io.store import FeatureWriter, MatchWriter
from dad_sfm.report import Failure, build_report, document, summary_lines
from dad_sfm.report.unregistered import REMEDIES

SMALL, LARGE = ["a.png", "b.png", "c.png", "d.png"], [f"{i}.png" for i in "uvwxyz"]


def lone_image(root: Path, name: str, points: np.ndarray, matches: int | None, other: str) -> None:
    """Add an image to a scene, with so many random matches to another one."""
    from PIL import Image

    Image.new("L", SIZE).save(root / "images" / name)
    with FeatureWriter(root / "features.h5", {"made_by": "tests"}) as writer:
        writer.write(name, features(points))
    if matches is None:
        return
    rng = np.random.default_rng(len(points))
    matches0 = np.full(len(points), -1, np.int32)
    matches0[:matches] = rng.choice(100, matches, replace=False)
    with MatchWriter(root / "matches.h5", {"made_by": "tests"}) as writer:
        writer.write(name, other, Matches(matches0, (matches0 >= 0).astype(np.float32)))
    with (root / "pairs.txt").open("a") as file:
        file.write(f"{name} {other}\n")


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """A run with two models, an image of each other fate, and ground truth."""
    root = tmp_path_factory.mktemp("run")
    scene = make_scene(root, [SMALL, LARGE], noise_px=0.2)
    rng = np.random.default_rng(0)
    lone_image(root, "empty.png", np.zeros((0, 2)), 0, "u.png")
    lone_image(root, "nowhere.png", rng.uniform(0, 600, (200, 2)), 30, "u.png")
    lone_image(root, "unpaired.png", rng.uniform(0, 600, (200, 2)), None, "")
    with FeatureWriter(root / "features.h5", {"made_by": "tests"}) as writer:
        writer.write_failures({"broken.jpg": "cut off"})
    write_text_model(root / "gt", scene.gt.cameras, [scene.gt.images[n] for n in LARGE])
    database.main(root / "database.db", **scene.inputs, camera_mode="single")
    reconstruction.main(root / "sparse", root / "database.db", scene.image_dir, num_threads=1)
    return root


@pytest.fixture(scope="module")
def report(out):
    return build_report(
        out,
        scene="two",
        image_dir=out / "images",
        gt=out / "gt",
        seconds={"database": 1.25, "total": 2.0},
        configuration={"camera_mode": "single"},
        seeds={"mapper": 0},
    )


def test_models_and_fates(report):
    assert report.status == "partial"
    assert [m.images for m in report.models] == [6, 4]
    assert [i.name for i in report.registered] == LARGE
    assert report.components[:2] == [LARGE, SMALL]
    fates = {i.name: i.unregistered for i in report.unregistered}
    assert fates == {
        **dict.fromkeys(SMALL, "other_model"),
        "empty.png": "no_keypoints",
        "nowhere.png": "no_verified_pair",
        "unpaired.png": "no_pairs",
    }
    assert report.failed_images == {"broken.jpg": "cut off"}
    by_name = {i.name: i for i in report.images}
    assert by_name["empty.png"].keypoints == 0
    assert by_name["a.png"].model == 1
    assert by_name["u.png"].points > 100
    assert "30 matches" in by_name["nowhere.png"].explanation


def test_numbers_are_those_of_the_model(report):
    (pair,) = [p for p in report.pairs if p.names == ("u.png", "v.png")]
    assert 100 < pair.inliers <= pair.matches
    model = report.models[0]
    assert model.mean_track_length == pytest.approx(model.observations / model.points)
    assert model.observations == sum(i.points for i in report.registered)
    assert 0.05 < model.mean_reprojection_error_px < 0.5  # noise of 0.2 px
    (camera,) = model.cameras
    assert camera["params"][0] == pytest.approx(900, rel=0.01)
    assert {"python", "torch", "pycolmap", "kornia", "dad_sfm"} <= report.versions.keys()


def test_ground_truth(report):
    truth = report.ground_truth
    assert (truth.images, truth.registered) == (6, 6)
    assert truth.position_error.max < 0.02
    assert truth.position_error.mean == pytest.approx(
        np.mean([i.position_error for i in report.registered])
    )
    assert list(truth.pose_auc) == ["1", "3", "5"]
    assert 90 < truth.pose_auc["1"] < truth.pose_auc["5"] <= 100


def test_an_image_without_enough_points_says_so(out, report, tmp_path):
    """Take an image out of the model, but not out of the view graph."""
    import pycolmap

    model = pycolmap.Reconstruction(str(out / "sparse" / "0"))
    model.deregister_frame(model.find_image_with_name("z.png").frame_id)
    files = Output(tmp_path)
    (files.sparse / "0").mkdir(parents=True)
    model.write(str(files.sparse / "0"))
    files.features.symlink_to(out / "features.h5")
    files.database.symlink_to(out / "database.db")
    found = build_report(tmp_path, scene="two", image_dir=out / "images", gt=out / "gt")
    fates = {i.name: i.unregistered for i in found.unregistered}
    assert fates["z.png"] == "too_few_points"
    assert fates["a.png"] == "other_component"
    assert found.ground_truth.registered == 5
    assert found.ground_truth.pose_auc["5"] < 100 * 10 / 15 + 0.1  # 5 of 15 pairs are infinite


def test_a_failed_run_has_a_report_too(tmp_path):
    failure = Failure("no_matches", "no matches in 3 pairs")
    found = build_report(tmp_path, scene="x", image_dir=tmp_path, failure=failure)
    assert (found.status, found.failure, found.images) == ("failed", failure, [])
    written = json.loads(found.write(tmp_path / "report.json").read_text())
    assert written["failure"] == {"reason": "no_matches", "message": "no matches in 3 pairs"}
    assert summary_lines(found) == ["x: no reconstruction: no matches in 3 pairs"]


def test_summary(report):
    lines = summary_lines(report)
    assert lines[0] == "two: 6 of 14 images registered; 2 models, this is the largest"
    text = "\n".join(lines)
    for part in ("mean track length", "2 separate parts", "pose AUC@1/3/5°", "2.0 s: database 1.2"):
        assert part in text
    assert re.search(r"nowhere\.png +none of its 1 pairs passed", text)
    assert re.search(r"broken\.jpg +cut off", text)
    assert "what helps most of them: more pairs between the two models" in text  # four of the seven
    assert max(map(len, lines)) <= 110


def test_json_is_complete_and_documented(report, tmp_path):
    written = json.loads(report.write(tmp_path / "report.json").read_text(encoding="utf-8"))
    assert list(tmp_path.iterdir()) == [tmp_path / "report.json"]
    assert written["format_version"] == document.FORMAT_VERSION
    assert written["pairs"][0]["names"] == ["a.png", "b.png"]
    described = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")
    for kind in vars(document).values():
        if dataclasses.is_dataclass(kind):
            for field in dataclasses.fields(kind):
                assert f"`{field.name}`" in described, f"{kind.__name__}.{field.name}"
    for code, remedy in REMEDIES.items():
        assert re.search(rf"^\| `{code}` \| .* \| {re.escape(remedy)} \|$", described, re.M)
    for code in {i.unregistered for i in report.unregistered}:
        assert f"`{code}`" in described
