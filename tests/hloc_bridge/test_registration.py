"""Our presets in hloc's tables, and hloc's own as they were."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import pytest

from dad_sfm import extract_features, hloc_bridge, match_features
from dad_sfm.hloc_bridge.__main__ import main


def test_every_preset_is_registered_and_none_of_hlocs_is_replaced(hloc: ModuleType) -> None:
    steps = {
        "extract_features": extract_features.confs,
        "match_features": {"NN-mutual": match_features.confs["NN-mutual"]},
    }
    before = {name: dict(import_module(f"hloc.{name}").confs) for name in steps}

    hloc_bridge.register()
    hloc_bridge.register()

    for step, ours in steps.items():
        known = import_module(f"hloc.{step}").confs
        assert {name: known[name] for name in before[step]} == before[step]
        for name, conf in ours.items():
            registered = known[f"dad-sfm-{name}" if name in before[step] else name]
            assert registered["model"]["name"] == "dad_sfm"
            assert registered["output"] == conf["output"]
    assert "dad-nano+rootsift" in import_module("hloc.extract_features").confs


def test_a_matcher_that_looks_at_photos_is_not_offered(
    hloc: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dad_sfm.matchers.nearest import NearestNeighbor

    monkeypatch.setattr(NearestNeighbor, "needs_images", True)
    hloc_bridge.register()
    assert not any("NN-mutual" in name for name in _new_matchers(hloc))


def _new_matchers(hloc: ModuleType) -> set[str]:
    confs = import_module("hloc.match_features").confs
    return {name for name, conf in confs.items() if conf["model"]["name"] == "dad_sfm"}


def test_without_hloc_one_sentence_says_how_to_get_it(
    no_hloc: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(hloc_bridge.HlocMissingError, match="pip install git"):
        hloc_bridge.register()
    assert main(["extract_features", "--image_dir", "x"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "pip install git+https://github.com/cvg/Hierarchical-Localization" in line
