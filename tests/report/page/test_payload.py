"""What the scripts of the page read is what the files hold."""

import base64
import gzip
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from projected import make_scene

from dad_sfm import database, reconstruction
from dad_sfm.colmap.model import read_model
from dad_sfm.colmap.points import read_points
from dad_sfm.io.output import Output
from dad_sfm.io.store import FeatureReader, MatchReader
from dad_sfm.report import build_report
from dad_sfm.report.page import payload
from dad_sfm.report.page.evidence import read_evidence, spread
from dad_sfm.report.page.payload import LIGHT, VERIFIED, Payload
from dad_sfm.report.page.photos import side_for

NAMES = ["a b.png", "c.png", "d.png", "e.png"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    scene = make_scene(tmp_path_factory.mktemp("scene"), [NAMES])
    path = database.main(scene.root / "database.db", **scene.inputs)
    reconstruction.main(scene.root / "sparse", path, scene.image_dir, num_threads=1)
    return scene


def unpacked(text):
    return gzip.decompress(base64.b64decode(text))


def blobs_of(scene):
    files = Output(scene.root)
    report = build_report(files, scene="x", image_dir=scene.image_dir)
    evidence = read_evidence(report, files)
    model = read_model(files.models()[0])
    return dict(Payload(report, files, evidence, model, None, {}).blobs()), report


def keypoints_of(data, n):
    point = np.frombuffer(data[: 4 * n], "<i4")
    xy = np.frombuffer(data[4 * n : 8 * n], "<u2").reshape(n, 2)
    score, flags = np.frombuffer(data[8 * n :], np.uint8).reshape(2, n)
    return point, xy, score, flags


def test_index_points_and_keypoints(scene):
    blobs, report = blobs_of(scene)
    index = json.loads(unpacked(blobs["index"]))
    assert [image["name"] for image in index["images"]] == NAMES
    assert index["images"][0]["file"] == "images/a%20b.png"
    points = read_points(scene.root / "sparse" / "0")
    assert index["points"] == len(points) == report.models[0].points
    xyz = np.frombuffer(unpacked(blobs["points"])[: 12 * len(points)], "<f4").reshape(-1, 3)
    np.testing.assert_array_equal(xyz, points.xyz)
    with FeatureReader(scene.root / "features.h5") as reader:
        for number, name in enumerate(NAMES):
            features = reader.read(name)
            n = len(features)
            point, xy, score, flags = keypoints_of(unpacked(blobs[f"k{number}"]), n)
            np.testing.assert_array_equal(point, points.rows[name])
            at = xy / 65535 * features.image_size - 0.5
            np.testing.assert_allclose(at, features.keypoints_px, atol=0.02)
            assert score[0] == 255
            assert (np.diff(score.astype(int)) <= 0).all()
            verified = index["images"][number]["verified"]
            assert ((flags & VERIFIED) > 0).sum() == verified > 100


def test_lines_are_the_verified_matches(scene):
    blobs, _ = blobs_of(scene)
    lines = np.frombuffer(unpacked(blobs["lines"]), "<u4").reshape(-1, 2)
    for a, b, _, inliers, start, count in json.loads(unpacked(blobs["index"]))["pairs"]:
        assert count == inliers > 50
        with MatchReader(scene.root / "matches.h5") as reader:
            matches = {tuple(m) for m in reader.read(NAMES[a], NAMES[b]).indices}
        assert {tuple(m) for m in lines[start : start + count]} <= matches


def test_what_is_too_much_is_thinned_out(scene, monkeypatch):
    """Fewer keypoints: those of points stay; lines are among those that stay."""
    monkeypatch.setattr(payload, "MOST_POINTS", 20)
    monkeypatch.setattr(payload, "MOST_KEYPOINTS", 0)  # the least: 256 an image
    blobs, _ = blobs_of(scene)
    index = json.loads(unpacked(blobs["index"]))
    assert index["points"] == 20
    assert {image["shown"] for image in index["images"]} == {256}
    point, *_ = keypoints_of(unpacked(blobs["k0"]), 256)
    assert (point >= 0).sum() == 20
    triangulated = (read_points(scene.root / "sparse" / "0").rows[NAMES[0]] >= 0).sum()
    assert (point != -1).sum() == triangulated
    lines = np.frombuffer(unpacked(blobs["lines"]), "<u4")
    assert lines.max() < 256


def test_light_keypoints_are_told_from_the_photo(scene, tmp_path):
    """A white dot at the first keypoint of a photo, a black one at the second."""
    with FeatureReader(scene.root / "features.h5") as reader:
        features = reader.read("c.png")
    W, H = features.image_size
    y, x = np.mgrid[:H, :W]
    grey = np.full((H, W), 128, np.uint8)
    for (u, v), level in zip(features.keypoints_px[:2], (255, 0), strict=True):
        grey[np.hypot(x - u, y - v) < 3] = level
    Image.fromarray(grey).save(tmp_path / "c.png")
    files = Output(scene.root)
    report = build_report(files, scene="x", image_dir=scene.image_dir)
    report = replace(report, image_dir=str(tmp_path))
    found = dict(Payload(report, files, read_evidence(report, files), None, None, {}).blobs())
    assert "t0" not in found  # that photo is gone
    assert base64.b64decode(found["t1"])[:2] == b"\xff\xd8"
    _, _, _, flags = keypoints_of(unpacked(found["k1"]), len(features))
    assert [bool(f & LIGHT) for f in flags[:2]] == [True, False]


def test_budgets():
    assert spread(5, 3).tolist() == [0, 2, 4]
    assert spread(2, 3).tolist() == [0, 1]
    assert side_for(4) == 1024 > side_for(60) > side_for(300) > 200
    assert side_for(100_000) == 200
