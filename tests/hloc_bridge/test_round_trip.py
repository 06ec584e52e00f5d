"""Through hloc's `main` come the points and matches that our own steps give."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from dot_pictures import DOTS, described, dots, save

from dad_sfm import extract_features, hloc_bridge, match_features
from dad_sfm.hloc_bridge import presets
from dad_sfm.hloc_bridge.__main__ import main
from dad_sfm.io.store import FeatureReader, MatchReader

NAMES = ["0.png", "1.png"]


@pytest.fixture
def images(tmp_path: Path, dot_plugins: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two pictures, 403×301; the preset "dots" looks at them at 200×144, multiples of 8."""
    for name, points in zip(NAMES, (DOTS, DOTS[:2]), strict=True):
        save(tmp_path / "images" / name, dots(points=points))
    monkeypatch.setitem(extract_features.confs, "dots", described())
    return tmp_path / "images"


@pytest.fixture
def own_features(images: Path) -> Path:
    return extract_features.main(described(), images, feature_path=images.parent / "own.h5")


@pytest.mark.parametrize("as_half", [True, False])
def test_keypoints_are_ours(
    hloc: ModuleType, images: Path, own_features: Path, as_half: bool
) -> None:
    hloc_bridge.register()
    step = import_module("hloc.extract_features")
    path = step.main(step.confs["dots"], images, images.parent, as_half=as_half)
    with FeatureReader(path) as theirs, FeatureReader(own_features) as ours:
        assert theirs.names() == NAMES
        for name in NAMES:
            found, expected = theirs.read(name), ours.read(name)
            assert found.image_size == (403, 301)
            np.testing.assert_allclose(found.keypoints_px, expected.keypoints_px, atol=1e-4)
            np.testing.assert_allclose(found.scores, expected.scores, atol=1e-3)
            np.testing.assert_allclose(found.descriptors, expected.descriptors, atol=1e-3)
            assert found.descriptors is not None
            assert found.descriptors.dtype == (np.float16 if as_half else np.float32)
            assert found.uncertainty_px == pytest.approx(expected.uncertainty_px)


def test_matches_are_ours_from_the_command_line(
    hloc: ModuleType, images: Path, own_features: Path
) -> None:
    out = images.parent
    pairs = out / "pairs.txt"
    pairs.write_text(" ".join(NAMES))
    own = match_features.main(
        match_features.confs["NN-mutual"], pairs, own_features, matches=out / "own-matches.h5"
    )

    features = ["--image_dir", str(images), "--feature_path", str(out / "f.h5")]
    assert main(["extract_features", "--conf", "dots", *features]) == 0
    paths = ["--pairs", str(pairs), "--features", str(out / "f.h5"), "--matches", str(out / "m.h5")]
    assert main(["match_features", "--conf", "dad-sfm-NN-mutual", *paths]) == 0

    with MatchReader(out / "m.h5") as theirs, MatchReader(own) as ours:
        found, expected = theirs.read(*NAMES), ours.read(*NAMES)
    assert expected.matches0.tolist() == [0, 1, -1]
    assert found.matches0.tolist() == expected.matches0.tolist()
    np.testing.assert_allclose(found.scores0, expected.scores0, atol=1e-3)


def test_presets_keep_the_options_of_ours(dot_plugins: None) -> None:
    conf = presets._feature_conf(described(max_keypoints=7))
    assert conf["model"]["max_keypoints"] == 7
    assert conf["model"]["preprocessing"] == {"resize_max": 200}
    model = {k: v for k, v in conf["model"].items() if k != "preprocessing"}
    assert presets.own_model(model, "detector") == described(max_keypoints=7)["model"]


def test_more_keypoints_than_hlocs_files_can_number_are_refused() -> None:
    import torch

    from dad_sfm.hloc_bridge.matches import PairMatches

    matches = PairMatches({"name": "dad_sfm", "matcher": "nearest_neighbor"}, device="cpu")
    data = {}
    for side, count in (("0", 1), ("1", 32_769)):
        data[f"keypoints{side}"] = torch.zeros(1, count, 2)
        data[f"descriptors{side}"] = torch.ones(1, 2, count)
        data[f"image_size{side}"] = torch.tensor([[64.0, 48.0]])
    with pytest.raises(ValueError, match="32769 keypoints: hloc's match files"):
        matches(data)
