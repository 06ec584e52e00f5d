"""Step 1: called as hloc does, with which configurations, and once more after a kill."""

from __future__ import annotations

import copy
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from dot_pictures import described, preset, save
from fakes import BrightDots

from dad_sfm import extract_features
from dad_sfm.core.config import ConfigError
from dad_sfm.descriptors import DESCRIPTORS
from dad_sfm.detectors import DETECTORS
from dad_sfm.io.store import FeatureReader, StoreError
from dad_sfm.io.turns import write_turns

pytestmark = pytest.mark.usefixtures("dot_plugins")


# ------------------------------------------------------------------------------ configurations
def test_called_as_hloc_does(tmp_path: Path) -> None:
    root, outputs = tmp_path / "images", tmp_path / "outputs"
    for name in ("db/1.png", "db/2.png", "query/1.png"):
        save(root / name)
    path = extract_features.main(preset(), root, outputs)
    assert path == outputs / "feats-dots.h5"
    references = ["db/1.png", "db/2.png"]
    path = extract_features.main(
        preset(), root, image_list=references, feature_path=outputs / "some.h5"
    )
    assert path == outputs / "some.h5"
    with FeatureReader(path) as reader:
        assert reader.names() == references
    (tmp_path / "list.txt").write_text("query/1.png\n")
    extract_features.main(preset(), root, None, True, tmp_path / "list.txt", path, False)
    with FeatureReader(path) as reader:
        assert reader.names() == [*references, "query/1.png"]
    with pytest.raises(ValueError, match="export_dir or feature_path"):
        extract_features.main(preset(), root)
    with pytest.raises(FileNotFoundError, match=r"query/3\.png"):
        extract_features.main(preset(), root, outputs, image_list=["query/3.png"])


def test_turns_are_what_their_file_says(tmp_path: Path) -> None:
    save(tmp_path / "images/a.png")
    conf = preset()
    conf["preprocessing"]["turns"] = str(tmp_path / "turns.txt")
    write_turns(tmp_path / "turns.txt", {"a.png": 1})
    path = extract_features.main(conf, tmp_path / "images", tmp_path)
    write_turns(tmp_path / "turns.txt", {"a.png": 3})
    with pytest.raises(StoreError, match="made by another configuration"):
        extract_features.main(conf, tmp_path / "images", tmp_path)
    # Without any, files are those of before there were turns; so are they with hloc's defaults.
    path = extract_features.main(preset(), tmp_path / "images", feature_path=tmp_path / "b.h5")
    with FeatureReader(path) as reader:
        assert not {"turns", "grayscale", "dfactor"} & reader.provenance["preprocessing"].keys()
    conf = preset()
    conf["preprocessing"]["grayscale"] = True
    with pytest.raises(StoreError, match="made by another configuration"):
        extract_features.main(conf, tmp_path / "images", feature_path=tmp_path / "b.h5")


def test_changed_copies_of_a_preset(tmp_path: Path) -> None:
    save(tmp_path / "images/a.png")
    extract_features.confs["dots"] = preset()
    try:
        conf = copy.deepcopy(extract_features.confs["dots"])
        conf["model"]["max_keypoints"] = 2
        conf["output"] = "feats-two"
        path = extract_features.main(conf, tmp_path / "images", tmp_path)
    finally:
        del extract_features.confs["dots"]
    with FeatureReader(path) as reader:
        assert len(reader.read("a.png")) == 2
        assert reader.provenance["detector"]["max_keypoints"] == 2
        assert reader.provenance["detector"]["radius"] == 9  # a default, written out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": {"name": "bright-dots", "max_keypoint": 5}}, "'max_keypoint'"),
        ({"model": {"name": "bright-dogs"}}, "unknown detector 'bright-dogs'"),
        ({"model": {"max_keypoints": 5}}, "missing key 'name'"),
        ({"model": {"name": "bright-dots", "descriptor": {"name": "what"}}}, "unknown descriptor"),
        ({"model": {"name": "bright-dots", "descriptor": {"name": "position", "x": 1}}}, "'x'"),
        ({"preprocessing": {"resize": 5}}, "'resize'"),
        ({"preprocess": {}}, "'preprocess'"),
    ],
)
def test_unknown_keys_and_names_are_refused(tmp_path: Path, change: dict, message: str) -> None:
    save(tmp_path / "images/a.png")
    with pytest.raises(ConfigError, match=message):
        extract_features.main({**preset(), **change}, tmp_path / "images", tmp_path)
    assert not (tmp_path / "feats-dots.h5").exists()


@pytest.mark.parametrize("name", sorted(extract_features.confs))
def test_presets_hold_known_options(name: str) -> None:
    conf = copy.deepcopy(extract_features.confs[name])
    descriptor = conf["model"].pop("descriptor", None)
    DETECTORS.conf(conf["model"])
    if descriptor is not None:
        DESCRIPTORS.conf(descriptor)
    assert set(conf) == {"output", "model", "preprocessing"}
    outputs = [c["output"] for c in extract_features.confs.values()]
    assert len(set(outputs)) == len(outputs)


# ------------------------------------------------------------------------------------- resuming
def test_resumes_with_what_is_missing(tmp_path: Path) -> None:
    root = tmp_path / "images"
    save(root / "a.png")
    save(root / "b.png")
    path = extract_features.main(preset(), root, tmp_path)
    assert BrightDots.seen == 2
    save(root / "c.png")
    extract_features.main(preset(), root, tmp_path)
    assert BrightDots.seen == 3
    extract_features.main(preset(), root, tmp_path, overwrite=True)
    assert BrightDots.seen == 6
    with FeatureReader(path) as reader:
        assert reader.names() == ["a.png", "b.png", "c.png"]


@pytest.mark.parametrize(
    "other",
    [
        preset(max_keypoints=2),
        described(),
        {**preset(), "preprocessing": {"resize_max": 201}},
    ],
)
def test_a_file_of_another_configuration_is_refused(tmp_path: Path, other: dict) -> None:
    save(tmp_path / "images/a.png")
    path = extract_features.main(preset(), tmp_path / "images", tmp_path)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another configuration"):
        extract_features.main(other, tmp_path / "images", tmp_path)
    assert path.read_bytes() == before
    extract_features.main(other, tmp_path / "images", tmp_path, overwrite=True)


@pytest.mark.slow
def test_a_killed_run_is_taken_up_where_it_was(tmp_path: Path) -> None:
    root = tmp_path / "images"
    for i in range(5):
        save(root / f"{i}.png")
    program = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from fakes import BrightDots
from dad_sfm import extract_features
from dad_sfm.detectors import DETECTORS
DETECTORS.add("bright-dots", "fakes:BrightDots")
detect = BrightDots.__call__
def dying(self, images):
    if BrightDots.seen == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return detect(self, images)
BrightDots.__call__ = dying
extract_features.main({preset()!r}, {str(root)!r}, {str(tmp_path)!r}, workers=0)
"""
    killed = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    path = extract_features.main(preset(), root, tmp_path)
    assert BrightDots.seen == 2
    with FeatureReader(path) as reader:
        assert len(reader.names()) == 5
