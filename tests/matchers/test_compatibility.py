"""A matcher that was not made for the features of a file is refused, and told what fits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dad_sfm.core.types import Features
from dad_sfm.io.store import FeatureReader, FeatureWriter
from dad_sfm.match_features import confs
from dad_sfm.matchers.compatibility import MatchingError, check_fit, takers


def write(path: Path, descriptor: dict | None, *, dim: int = 128, frames: bool = False) -> Path:
    made = {} if descriptor is None else {"identity": {"descriptor": descriptor}}
    n = 5
    sizes = {"scales": np.ones(n, np.float32), "oris": np.zeros(n, np.float32)} if frames else {}
    found = Features(
        np.ones((n, 2), np.float32),
        np.ones(n, np.float32),
        (60, 40),
        descriptors=np.eye(n, dim, dtype=np.float32),
        **sizes,
    )
    with FeatureWriter(path, made) as writer:
        writer.write("a.jpg", found)
    return path


def check(path: Path, preset: str) -> None:
    with FeatureReader(path) as reader:
        check_fit(confs[preset]["model"], [(reader, ["a.jpg"])], presets=confs)


def test_a_matcher_for_other_descriptors_is_refused_with_those_that_fit(tmp_path) -> None:
    path = write(tmp_path / "f.h5", {"name": "rootsift", "dim": 128})
    with pytest.raises(MatchingError) as refused:
        check(path, "aliked+lightglue")
    message = str(refused.value)
    assert "f.h5 holds descriptors of rootsift" in message
    assert "lightglue aliked was made for aliked-n16" in message
    assert "NN-mutual" in message
    assert "adalam" in message
    assert "disk+lightglue" not in message
    check(path, "NN-ratio")


def test_a_detector_with_descriptors_of_its_own_tells_their_name(tmp_path) -> None:
    with FeatureWriter(tmp_path / "f.h5", {"identity": {"detector": {"name": "aliked-n16"}}}) as w:
        w.write("a.jpg", Features(np.zeros((0, 2)), np.zeros(0), (60, 40)))
    check(tmp_path / "f.h5", "aliked+lightglue")


def test_files_of_other_tools_are_judged_by_their_dimension(tmp_path) -> None:
    path = write(tmp_path / "f.h5", None, dim=128)
    check(path, "aliked+lightglue")
    with pytest.raises(MatchingError, match=r"128-D .* lightglue superpoint takes 256-D"):
        check(path, "superpoint+lightglue")


def test_scales_and_orientations_must_be_there_where_they_are_needed(tmp_path) -> None:
    with pytest.raises(MatchingError, match=r"needs scales and orientations .* a\.jpg; extract"):
        check(write(tmp_path / "bare.h5", {"name": "sift"}), "sift+lightglue")
    check(write(tmp_path / "f.h5", {"name": "sift"}, frames=True), "sift+lightglue")


def test_dense_matchers_take_everything() -> None:
    everywhere = {"NN-mutual", "roma", "roma-v2", "loftr", "loma-b", "adalam", "dual-softmax"}
    assert everywhere <= set(takers("anything", confs))
    assert set(takers("disk-depth", confs)) - set(takers("anything", confs)) == {"disk+lightglue"}
