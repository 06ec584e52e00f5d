"""What is timed does its work: the engine and the plain loops write the same features, matches."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dad_sfm import extract_features, match_features
from dad_sfm.benchmarks.speed import commands, cores, extraction, matching, stubs
from dad_sfm.benchmarks.speed.plain_loops import plain_matching
from dad_sfm.core.types import Features
from dad_sfm.execution.extractor import Extractor
from dad_sfm.io.store import FeatureReader, FeatureWriter, MatchReader


@pytest.fixture
def photos(tmp_path: Path) -> extraction.Photos:
    rng = np.random.default_rng(0)
    names = ("a.png", "b.png")
    for name in names:
        coarse = rng.integers(0, 255, (12, 16, 3), np.uint8)
        Image.fromarray(coarse).resize((160, 120), Image.Resampling.BICUBIC).save(tmp_path / name)
    work = tmp_path / "work"
    work.mkdir()
    return extraction.Photos(tmp_path, names, work)


def test_a_photo_in_memory_is_described_as_one_in_a_file(photos: extraction.Photos) -> None:
    runs = extraction.decoded(photos, ["dad-nano", "dad-nano+hypercolumn"])
    (plain,), (described,) = (run() for run in runs.values())
    assert plain.descriptors is None
    assert described.descriptors.shape == (len(plain.keypoints_px), 128)
    extraction.engine(photos, extract_features.preset("dad-nano+hypercolumn"))()
    with FeatureReader(photos.work / "engine.h5") as written:
        np.testing.assert_array_equal(written.read("a.png").keypoints_px, described.keypoints_px)


def test_engine_and_plain_loop_find_the_same_points(photos: extraction.Photos) -> None:
    conf = extract_features.preset("dad-nano")
    conf["model"]["max_keypoints"] = 30
    # Not resized: a few of the plain loop's pixels, by Pillow, would be another level.
    conf["preprocessing"]["resize_max"] = 160
    extraction.engine(photos, conf)()
    extraction.plain(photos, Extractor(conf["model"]).detector, 160)()
    _assert_same_points(photos, "engine.h5", "plain.h5")


@pytest.mark.slow
def test_the_full_network_by_engine_and_plain_loop(photos: extraction.Photos) -> None:
    """Both ways find the same points of the network with its random weights."""
    runs = extraction.full_network(photos, resize_max=160)
    runs["dad, plain loop"]()
    runs["dad"]()
    _assert_same_points(photos, "engine.h5", "plain.h5")


def _assert_same_points(photos: extraction.Photos, one: str, other: str) -> None:
    with FeatureReader(photos.work / one) as ours, FeatureReader(photos.work / other) as theirs:
        for name in photos.names:
            a, b = ours.read(name), theirs.read(name)
            assert len(a) == len(b) >= 30
            np.testing.assert_allclose(a.keypoints_px, b.keypoints_px, atol=2e-3)


def test_engine_and_plain_loop_find_the_same_matches(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    scene = rng.standard_normal((60, 32))
    features = tmp_path / "f.h5"
    with FeatureWriter(features, {}) as writer:
        for name in ("a", "b", "c"):
            seen = scene + 0.5 * rng.standard_normal(scene.shape)
            seen /= np.linalg.norm(seen, axis=1, keepdims=True)
            keypoints = rng.uniform(0, 99, (60, 2)).astype(np.float32)
            writer.write(name, Features(keypoints, np.ones(60, np.float32), (100, 100), seen))
    pairs = [("a", "b"), ("a", "c"), ("b", "c")]
    conf = match_features.preset("NN-mutual")
    ours = match_features.main(conf, pairs, features, matches=tmp_path / "ours.h5", device="cpu")
    plain_matching(features, pairs, tmp_path / "plain.h5")
    with MatchReader(ours) as a, MatchReader(tmp_path / "plain.h5") as b:
        for pair in pairs:
            assert a.read(*pair).matches0.tolist() == b.read(*pair).matches0.tolist()
            assert (a.read(*pair).matches0 >= 0).sum() > 30


def test_sections_name_their_contenders(photos: extraction.Photos, tmp_path: Path) -> None:
    found = extraction.stages(photos, "dad-nano+rootsift", repeats=1)
    assert list(found) == ["decode", "network", "select", "describe", "write"]
    options = {"keypoints": [20], "long side": [80], "batch": [2]}
    found = extraction.by_options(photos, "dad-nano", options, repeats=1)
    assert list(found) == ["20 keypoints", "long side 80", "batches of 2"]
    found = matching.matching(tmp_path, 20, pairs=3, repeats=1)
    assert list(found) == ["engine, 20 points", "plain loop, 20 points"]


def test_cores_are_timed_idle_and_beside_a_busy_process() -> None:
    calls: list[int] = []
    found = cores.by_workers(calls.append, (0, 1, 2), items=2, repeats=1)
    assert list(found) == [
        "no workers",
        "1 worker",
        "2 workers",
        "no workers beside a busy process",
        "1 worker beside a busy process",
        "2 workers beside a busy process",
    ]
    assert calls == [0, 1, 2] * 4  # a warm-up each


def test_the_pipeline_around_a_network_that_does_nothing(tmp_path: Path) -> None:
    found = stubs.pipeline_cost(tmp_path, (3, 6), repeats=1)
    assert list(found) == ["3 images", "6 images"]
    with FeatureReader(tmp_path / "6.h5") as reader:
        assert len(reader.names()) == 6


def test_the_share_of_time_in_which_a_device_works(tmp_path: Path) -> None:
    """How large it is depends on the machine's other work; that decoding goes on meanwhile is
    tested with the stream."""
    share = stubs.busy_share(tmp_path, images=4, network=0.01, decoding=0.0, workers=1)
    assert 0 < share < 1
    with FeatureReader(tmp_path / "busy.h5") as reader:
        assert len(reader.names()) == 4


def test_commands_start_in_another_checkout(tmp_path: Path) -> None:
    package = tmp_path / "dad_sfm"
    package.mkdir()
    (package / "__main__.py").write_text("import sys; open('said', 'w').write(sys.argv[1])")
    commands.command(tmp_path, ["--help"])
    assert (tmp_path / "said").read_text() == "--help"
    (package / "__main__.py").write_text("raise SystemExit(3)")
    with pytest.raises(subprocess.CalledProcessError):
        commands.command(tmp_path, [])
