import json
import logging

import h5py
import numpy as np
import pytest
from PIL import Image

from dad_sfm import synthetic
from dad_sfm.core.config import ConfigError
from dad_sfm.geometry.cameras import PosedImage
from dad_sfm.io.colmap_text import write_text_model
from dad_sfm.io.scenes import SceneError
from dad_sfm.io.store import StoreError, inspect
from dad_sfm.pipeline import reconstruct
from dad_sfm.reconstruction import ReconstructionError

pytestmark = pytest.mark.slow

MOST = "features.model.max_keypoints"
SIFT = {"features": "sift", "matcher": "NN-ratio", "changes": {MOST: 1500}, "device": "cpu"}


@pytest.fixture(scope="module")
def courtyard(tmp_path_factory):
    """Five neighbouring views of the courtyard, small, with the true cameras."""
    root = tmp_path_factory.mktemp("scenes") / "yard"
    (root / "images").mkdir(parents=True)
    scene = synthetic.courtyard(0, detail=0.45)
    cameras = synthetic.courtyard_cameras((480, 320), 14)[:5]
    posed = []
    for i, camera in enumerate(cameras):
        name = f"{i}.jpg"
        Image.fromarray(synthetic.render(scene, camera).rgb).save(root / "images" / name)
        posed.append(PosedImage(name, 1, camera.cam_from_world))
    write_text_model(root / "gt", {1: cameras[0].to_colmap()}, posed)
    return root


@pytest.fixture(scope="module")
def out(courtyard, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    reconstruct(courtyard, folder, **SIFT)
    return folder


def test_from_photos_to_a_report(out, courtyard):
    assert {p.name for p in out.iterdir()} == {
        "features.h5",
        "pairs.txt",
        "matches.h5",
        "database.db",
        "sparse",
        "images",
        "report.json",
        "report.html",
        "log.txt",
    }
    assert (out / "images" / "0.jpg").samefile(courtyard / "images" / "0.jpg")
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report["status"] == "complete"
    assert report["warnings"] == []
    assert len(report["images"]) == 5
    assert len(report["models"][0]["cameras"]) == 1
    assert report["ground_truth"]["pose_auc"]["5"] > 80
    stages = ["features", "pairs", "matches", "database", "reconstruction", "total"]
    assert list(report["seconds"]) == stages
    assert report["seconds"]["total"] >= sum(report["seconds"][s] for s in stages[:-1]) - 0.01
    assert report["configuration"]["features"]["model"]["max_keypoints"] == 1500
    log = (out / "log.txt").read_text(encoding="utf-8")
    assert "Global bundle adjustment" in log  # COLMAP's own lines
    assert "5 of 5 images registered" in log


def test_a_cluster_makes_the_same_files(out, courtyard, tmp_path, monkeypatch):
    pytest.importorskip("ray", reason="needs Ray (the extra ray)")
    monkeypatch.setenv("RAY_worker_niceness", "0")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    report = reconstruct(courtyard, tmp_path, **SIFT, engine="ray")
    assert len(report.images) == 5
    for name in ("features.h5", "matches.h5"):
        assert inspect(tmp_path / name).digest == inspect(out / name).digest
        assert len(list(tmp_path.glob(f"{name[:-3]}.*-of-*.h5"))) > 1


def test_a_second_run_keeps_features_and_matches(out, courtyard):
    before = json.loads((out / "report.json").read_text(encoding="utf-8"))
    with h5py.File(out / "matches.h5", "a") as file:
        del file["0.jpg/4.jpg"]  # as if the run had been cut off
    report = reconstruct(
        courtyard, out, **SIFT, mapping={"options": {"ba_refine_extra_params": False}}
    )
    assert before["models"][0]["cameras"][0]["params"][3] != 0
    assert report.models[0].cameras[0]["params"][3] == 0
    log = (out / "log.txt").read_text(encoding="utf-8")
    assert "5 images, 0 to extract" in log
    assert "10 pairs, 1 to match" in log


def test_other_options_are_refused_and_nothing_is_lost(out, courtyard):
    before = (out / "report.json").read_bytes()
    with pytest.raises(StoreError, match="another configuration"):
        reconstruct(courtyard, out, **{**SIFT, "changes": {MOST: 700}})
    with pytest.raises(StoreError, match="another configuration"):
        reconstruct(courtyard, out, **{**SIFT, "matcher": "NN-mutual"})
    with pytest.raises(ConfigError, match=r"unknown feature preset 'shift'; there are: .*sift"):
        reconstruct(courtyard, out, **{**SIFT, "features": "shift"})
    with pytest.raises(SceneError, match="no scene"):
        reconstruct(courtyard / "nowhere", out)
    assert (out / "report.json").read_bytes() == before
    assert (out / "sparse" / "0").is_dir()


def test_a_scene_that_cannot_be_reconstructed(tmp_path):
    """Blank photos, one that is broken: a reason, a report, and no traceback of another kind."""
    folder = tmp_path / "blank"
    folder.mkdir()
    for name in "abc":
        Image.new("RGB", (320, 240), "grey").save(folder / f"{name}.png")
    (folder / "broken.jpg").write_bytes(b"no image")
    with pytest.raises(ReconstructionError) as caught:
        reconstruct(folder, tmp_path / "out", **SIFT)
    assert caught.value.reason == "no_keypoints"
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["status"] == "failed"
    assert report["failure"] == {"reason": "no_keypoints", "message": str(caught.value)}
    assert list(report["failed_images"]) == ["broken.jpg"]
    assert {i["unregistered"] for i in report["images"]} == {"no_keypoints"}
    assert (tmp_path / "out" / "report.html").is_file()


def test_photos_that_show_nothing_in_common(tmp_path):
    folder = tmp_path / "noise"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in "abc":
        coarse = Image.fromarray(rng.integers(0, 255, (15, 20, 3), np.uint8))
        coarse.resize((160, 120), Image.Resampling.BICUBIC).save(folder / f"{name}.png")
    with pytest.raises(ReconstructionError) as caught:
        reconstruct(folder, tmp_path / "out", **{**SIFT, "matcher": "NN-mutual"})
    assert caught.value.reason in ("no_verified_pair", "no_initial_pair")
    assert (tmp_path / "out" / "database.db").is_file()  # to look into


def test_one_photo_is_not_enough(tmp_path, caplog):
    folder = tmp_path / "one"
    folder.mkdir()
    Image.new("RGB", (320, 240), "grey").save(folder / "a.png")
    with caplog.at_level(logging.INFO), pytest.raises(ValueError, match="at least 2 are needed"):
        reconstruct(folder, tmp_path / "out", **SIFT)
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["failure"]["reason"] == "PairsError"


@pytest.mark.shared
def test_real_photos_give_the_true_cameras(shared, tmp_path):
    """Eight photos of a facade, with cameras measured by a laser scanner."""
    report = reconstruct(
        shared / "scenes" / "Herz-Jesus-P8",
        tmp_path,
        **{**SIFT, "changes": {MOST: 2500, "features.preprocessing.resize_max": 900}},
    )
    assert report.status == "complete"
    truth = report.ground_truth
    assert truth.position_error.mean < 0.02  # metres; the cameras are 2 to 3 m apart
    assert truth.rotation_error_deg.max < 0.4
    assert truth.pose_auc["1"] > 80
    assert len(report.models[0].cameras) == 1
