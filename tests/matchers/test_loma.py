"""The adapter of LoMa, around a model that answers as the package does."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image

from dad_sfm.core.types import Features
from dad_sfm.matchers import MATCHERS
from dad_sfm.matchers.base import MissingPackageError, View

URL = "https://nowhere.invalid/loma_B128.pth"


@pytest.fixture
def loma(monkeypatch):
    """Its descriptor is where a point is, its score how near two are."""
    seen: dict[str, list] = {"images": [], "points": [], "weights": []}

    @dataclass(frozen=True, kw_only=True)
    class LoMaB128:
        weights_url: str = URL
        filter_threshold: float = 0.1

    class Descriptor:
        def describe_keypoints(self, images, keypoints):
            seen["images"].append(tuple(images.shape))
            seen["points"].append(keypoints)
            return {"descriptions": keypoints}

    class LoMa:
        def __init__(self, cfg) -> None:
            seen["weights"].append(torch.hub.load_state_dict_from_url(cfg.weights_url))
            self._descriptor = Descriptor()

        def __call__(self, points0, points1, described0, described1):
            return {"scores": torch.exp(-10 * torch.cdist(described0, described1))}

    module = ModuleType("loma")
    module.LoMa, module.LoMaB128 = LoMa, LoMaB128
    monkeypatch.setitem(sys.modules, "loma", module)
    return seen


@pytest.fixture
def weights(tmp_path) -> str:
    torch.save({"a": torch.ones(1)}, tmp_path / "w.pth")
    return str(tmp_path / "w.pth")


def make_view(folder, name: str, points: list[list[float]]) -> View:
    Image.new("L", (40, 30), 9).save(folder / name)
    found = Features(np.array(points, np.float32), np.ones(len(points), np.float32), (40, 30))
    return View(name, found, folder / name)


def test_it_describes_our_keypoints_in_its_frame_once_per_image(loma, weights, tmp_path) -> None:
    """The corners of an image are at ±1, and its keypoints need no descriptors."""
    matcher = MATCHERS.make({"name": "loma", "weights": weights})
    a = make_view(tmp_path, "a.png", [[-0.5, -0.5], [39.5, 29.5], [19.5, 14.5]])
    b = make_view(tmp_path, "b.png", [[19.5, 14.5], [-0.5, -0.5]])
    found = matcher(a, b)
    assert found.matches0.tolist() == [1, -1, 0]
    assert found.scores0.tolist() == [1, 0, 1]
    assert loma["points"][0].tolist() == [[[-1, -1], [1, 1], [0, 0]]]
    matcher(b, a)
    assert loma["images"] == [(1, 3, 784, 784)] * 2
    assert loma["weights"][0]["a"].tolist() == [1]
    assert matcher.identity["name"] == "loma-B128"


def test_a_match_scores_more_than_the_threshold(loma, weights, tmp_path) -> None:
    a = make_view(tmp_path, "a.png", [[19.5, 14.5]])
    b = make_view(tmp_path, "b.png", [[23.5, 14.5]])  # 0.2 away, normalised: exp(-2) = 0.135
    for threshold, expected in ((0.1, [0]), (0.2, [-1])):
        options = {"weights": weights, "filter_threshold": threshold}
        assert MATCHERS.make({"name": "loma", **options})(a, b).matches0.tolist() == expected
    none = make_view(tmp_path, "c.png", np.zeros((0, 2)))
    matcher = MATCHERS.make({"name": "loma", "weights": weights})
    assert matcher(a, none).matches0.tolist() == [-1]
    assert len(matcher(none, a).matches0) == 0


def test_a_missing_package_says_how_to_get_it(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "loma", None)
    with pytest.raises(MissingPackageError, match="package lomatch: pip install"):
        MATCHERS.make({"name": "loma"})
