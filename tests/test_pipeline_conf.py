"""The configuration of a reconstruction: one object, however it is given."""

from dataclasses import replace

import pytest

from dad_sfm import extract_features
from dad_sfm.colmap.cameras import CameraError
from dad_sfm.core.config import ConfigError, to_dict
from dad_sfm.pipeline import ReconstructionConf, reconstruct
from dad_sfm.pipeline.conf import CamerasConf, PairingConf


def test_names_dicts_and_objects_make_the_same():
    by_name = ReconstructionConf.make(features="sift", pairing="sequential")
    as_dicts = ReconstructionConf.make(
        {"features": extract_features.confs["sift"], "pairing": {"strategy": "sequential"}}
    )
    as_objects = replace(
        ReconstructionConf(), features=by_name.features, pairing=PairingConf("sequential")
    )
    assert by_name == as_dicts == as_objects
    assert ReconstructionConf.make(to_dict(by_name)) == by_name
    by_name.check()


def test_a_yaml_file_says_the_same(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text(
        "features: sift\ncameras: {mode: single}\nmapping:\n  options: {min_model_size: 5}"
    )
    conf = ReconstructionConf.read(path)
    expected = ReconstructionConf.make(features="sift", cameras=CamerasConf("single"))
    assert conf == expected.changed({"mapping.options.min_model_size": 5})
    for text, message in (("a: [", "not a YAML file"), ("- a", "expected keys and values")):
        path.write_text(text)
        with pytest.raises(ConfigError, match=message):
            ReconstructionConf.read(path)


def test_changes_reach_into_presets_and_leave_these_alone():
    conf = ReconstructionConf.make(features="dad-nano+rootsift").changed(
        {"features.model.max_keypoints": 77, "features.model.descriptor.name": "dedode-b"}
    )
    assert conf.features.model["max_keypoints"] == 77
    assert conf.features.model["descriptor"]["name"] == "dedode-b"
    assert extract_features.confs["dad-nano+rootsift"]["model"]["max_keypoints"] == 2048


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"features.model.max_keypoint": 7}, ConfigError, "unknown key 'max_keypoint'"),
        ({"features.model.descriptor.name": "nope"}, ConfigError, "unknown descriptor 'nope'"),
        ({"matcher.model.ratio": 0.8}, ConfigError, "unknown key 'ratio'"),
        ({"pairing.strategy": "nope"}, ConfigError, "unknown pairing strategy 'nope'"),
        ({"pairing.options.overlap": 3}, ConfigError, "unknown option 'overlap'"),
        ({"cameras.model": "PINHOL"}, CameraError, "unknown camera model 'PINHOL'"),
        ({"cameras.mode": "both"}, ConfigError, "'both' is not one of"),
        ({"verification.max_error": 3.0}, ConfigError, "unknown key 'max_error'"),
        ({"mapping.options.nope": 1}, ConfigError, "unknown COLMAP option 'nope'"),
        ({"seed": -1}, ConfigError, "seed: -1 is negative"),
        ({"featuers": "sift"}, ConfigError, "unknown key 'featuers'"),
    ],
)
def test_every_option_is_checked_before_there_is_a_scene(tmp_path, change, error, message):
    with pytest.raises(error, match=message):
        reconstruct(tmp_path / "no such scene", tmp_path / "out", changes=change)
    assert not (tmp_path / "out").exists()


def test_threads_and_two_ways_at_once_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="num_threads is 0"):
        reconstruct(tmp_path, tmp_path / "out", num_threads=0)
    with pytest.raises(ConfigError, match="not both"):
        reconstruct(tmp_path, tmp_path / "out", ReconstructionConf(), features="sift")
