"""Plug-ins: ours by name, others' by entry point."""

import importlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dad_sfm import extract_features
from dad_sfm.core import registry
from dad_sfm.core.config import ConfigError
from dad_sfm.detectors import DETECTORS
from dad_sfm.io.store import FeatureReader

PACKAGE = Path(__file__).parents[1] / "plugin_package"


@pytest.fixture
def plugin_package(monkeypatch):
    """The package of another author, as if pip had installed it."""
    monkeypatch.syspath_prepend(PACKAGE)
    importlib.invalidate_caches()
    registry._installed.cache_clear()
    yield
    registry._installed.cache_clear()


@pytest.mark.usefixtures("plugin_package")
def test_a_detector_of_another_package_is_used_by_its_name(tmp_path):
    picture = np.zeros((60, 80, 3), np.uint8)
    picture[20:40, 30:55] = 255  # a square: four corners
    Image.fromarray(picture).save(tmp_path / "square.png")
    conf = extract_features.preset("corners")
    path = extract_features.main(conf, tmp_path, tmp_path, device="cpu")
    with FeatureReader(path) as reader:
        assert reader.provenance["identity"]["detector"] == {"name": "corners"}
        points = reader.read("square.png").keypoints_px[:4]
    expected = np.array([[30, 20], [54, 20], [30, 39], [54, 39]])
    gaps = np.linalg.norm(points[:, None] - expected, axis=-1)
    assert (gaps.min(axis=0) < 3).all()


@pytest.mark.usefixtures("plugin_package")
def test_a_name_of_ours_cannot_be_taken():
    assert DETECTORS.plugin("sift").__module__ == "dad_sfm.detectors.sift"


def test_without_the_package_its_name_is_unknown():
    assert "corners" not in DETECTORS.names
    with pytest.raises(ConfigError, match="unknown feature preset 'corners'"):
        extract_features.preset("corners")
