"""The adapters of RoMa and RoMa v2, around models that answer as the packages do."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from dad_sfm.core.types import Features
from dad_sfm.matchers import MATCHERS
from dad_sfm.matchers.base import MissingPackageError, View
from dad_sfm.matchers.dense import roma_v2
from dad_sfm.models.checkpoints import CheckpointError

# Where the centres of an H×W = 3×4 grid over A are in B, and back: normalised, ours and theirs.
FORTH = np.random.default_rng(0).uniform(-1, 1, (3, 4, 2)).astype(np.float32)
BACK = np.random.default_rng(1).uniform(-1, 1, (3, 4, 2)).astype(np.float32)


@pytest.fixture
def weights(tmp_path) -> str:
    path = tmp_path / "w.pth"
    torch.save({"a": torch.ones(2)}, path)
    return str(path)


@pytest.fixture
def views(tmp_path) -> tuple[View, View]:
    points = np.array([[10.0, 10], [20, 5]], np.float32)
    found = []
    for name in ("a.png", "b.png"):
        Image.new("L", (40, 30), 9).save(tmp_path / name)
        found.append(View(name, Features(points, np.ones(2), (40, 30)), tmp_path / name))
    return found[0], found[1]


@pytest.mark.parametrize(("name", "package"), [("roma", "romatch"), ("roma-v2", "romav2")])
def test_a_missing_package_says_how_to_get_it(name, package, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackageError, match=rf"package {package}: pip install"):
        MATCHERS.make({"name": name})


class Backbone(torch.nn.Linear):
    """Counts the images it sees."""

    def __init__(self) -> None:
        super().__init__(1, 1)
        self.seen = 0

    def forward_features(self, images):
        self.seen += len(images)
        return {"x_norm_patchtokens": images.mean(dim=(1, 2, 3))[:, None]}


@pytest.fixture
def romatch(monkeypatch):
    """A package whose model answers with two warps side by side if it was made symmetric."""
    made = {"backbone": Backbone()}

    class Model:
        def __init__(self, options) -> None:
            made.update(options)
            self.encoder = SimpleNamespace(dinov2_vitl14=[made["backbone"]])

        def match(self, a, b):
            images = torch.stack([torch.from_numpy(np.array(x)).float() for x in (a, b)])
            tokens = self.encoder.dinov2_vitl14[0].forward_features(images)["x_norm_patchtokens"]
            assert tokens.shape == (2, 1)
            grid = torch.zeros(3, 4, 2)
            forth = torch.cat([grid, torch.from_numpy(FORTH)], dim=-1)
            back = torch.cat([torch.from_numpy(BACK), grid], dim=-1)
            halves = [forth, back] if made["symmetric"] else [forth]
            certainty = [torch.full((3, 4), c) for c in (0.5, 0.25)]
            return torch.cat(halves, dim=1)[None], torch.cat(certainty[: len(halves)], dim=1)[None]

    module = ModuleType("romatch")
    module.roma_outdoor = lambda **options: Model(options)
    module.roma_indoor = None
    monkeypatch.setitem(sys.modules, "romatch", module)
    return made


def test_roma_gives_both_warps_in_one_run(romatch, weights, views) -> None:
    matcher = MATCHERS.make({"name": "roma", "weights": weights, "dinov2_weights": weights})
    forth, back = matcher.warps(*views)
    assert (forth.b_from_a == FORTH).all()
    assert (back.b_from_a == BACK).all()
    assert (forth.certainty == 0.5).all()
    assert (back.certainty == 0.25).all()
    assert romatch["symmetric"] is True
    assert romatch["weights"]["a"].tolist() == [1, 1]
    assert len(matcher.identity["weights"]) == 64


def test_romas_backbone_sees_each_image_once(romatch, weights, views) -> None:
    options = {"weights": weights, "dinov2_weights": weights, "both_ways": False}
    matcher = MATCHERS.make({"name": "roma", **options})
    a, b = views
    assert romatch["symmetric"] is False
    assert (matcher.warp(a, b).b_from_a == FORTH).all()
    matcher.warp(b, a)
    matcher(a, View("c", b.features, b.image_path))
    assert romatch["backbone"].seen == 3


@pytest.fixture
def romav2(monkeypatch):
    made = {"backbone": 0}

    class Counting(torch.nn.Module):
        def forward(self, image):
            made["backbone"] += 1
            return [image]

    class Model(torch.nn.Module):
        Cfg = SimpleNamespace

        def __init__(self, cfg) -> None:
            """As its authors' does: fetches the published weights, whatever the user has."""
            super().__init__()
            made.update(torch.hub.load_state_dict_from_url(roma_v2.URLS["2.0.1"]))
            self.both, self.f = cfg.setting == "precise", Counting()

        def match(self, a, b):
            for image in (a, b):
                self.f(torch.from_numpy(np.array(image)))
            found = {"warp_BA": None, "overlap_BA": None}
            for way, warp in (("AB", FORTH), ("BA", BACK))[: 1 + self.both]:
                found[f"warp_{way}"] = torch.from_numpy(warp)[None]
                found[f"overlap_{way}"] = torch.full((1, 3, 4, 1), 0.25)
            return found

    module = ModuleType("romav2")
    module.RoMaV2 = Model
    monkeypatch.setitem(sys.modules, "romav2", module)
    monkeypatch.setattr(roma_v2.metadata, "version", lambda name: "2.0.1")
    return made


@pytest.mark.parametrize(("setting", "back"), [("precise", BACK), ("fast", FORTH)])
def test_roma_v2_takes_our_weights_and_runs_twice_where_it_must(
    romav2, weights, views, setting, back
) -> None:
    fetch = torch.hub.load_state_dict_from_url
    matcher = MATCHERS.make({"name": "roma-v2", "weights": weights, "setting": setting})
    assert torch.hub.load_state_dict_from_url is fetch
    assert romav2["a"].tolist() == [1, 1]
    found = matcher.warps(*views)
    assert (found[0].b_from_a == FORTH).all()
    assert (found[1].b_from_a == back).all()
    assert (found[0].certainty == 0.25).all()
    assert romav2["backbone"] == 2  # each image once
    assert matcher.identity["release"] == "2.0.1"


@pytest.mark.parametrize(
    ("release", "end"), [("2.0.0", "weights/romav2.pt"), ("2.0.1", "v2.0.1/romav2.0.1.pt")]
)
def test_each_release_of_roma_v2_has_weights_of_its_own(release, end, no_weights) -> None:
    with pytest.raises(CheckpointError):
        roma_v2.find_weights(None, release)
    assert no_weights[0].endswith(end)


def test_weights_of_another_release_are_refused(tmp_path) -> None:
    with pytest.raises(CheckpointError, match=r"romav2 2\.0\.0, but 2\.0\.1 is installed"):
        roma_v2.find_weights(str(tmp_path / "romav2.pt"), "2.0.1")
    with pytest.raises(CheckpointError, match=r"2\.1\.0 is not known here .*'weights'"):
        roma_v2.find_weights(None, "2.1.0")
    own = tmp_path / "own.pt"
    own.write_bytes(b"")
    assert roma_v2.find_weights(str(own), "2.1.0") == own
