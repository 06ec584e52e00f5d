"""LightGlue: kornia's network run for real, on random weights under the published names."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from kornia_range import needs_kornia

from dad_sfm.core.config import ConfigError
from dad_sfm.core.types import Features
from dad_sfm.geometry.lafs import lafs_of
from dad_sfm.matchers import MATCHERS
from dad_sfm.matchers.base import View
from dad_sfm.models.checkpoints import FOLDER_VARIABLE, CheckpointError
from dad_sfm.models.lightglue import KINDS

pytestmark = needs_kornia("0.9")
SIZE = (640, 480)


def published_state(kind: str) -> dict[str, torch.Tensor]:
    """Random weights, with the keys that the authors' checkpoints have."""
    from kornia.feature import LightGlue

    torch.manual_seed(0)
    network = LightGlue(None, **{**LightGlue.features[kind], "weights": None})
    state = {k: v for k, v in network.state_dict().items() if k != "confidence_thresholds"}
    old = {
        re.sub(r"^transformers\.(\d+)\.(\w+)_attn", r"\2_attn.\1", k): v for k, v in state.items()
    }
    return {f"matcher.{k}": v for k, v in state.items()} if kind == "xfeat" else old


def make_view(name: str, kind: str, n: int = 60, *, size: tuple[int, int] = SIZE) -> View:
    rng = np.random.default_rng(n)
    descriptors = rng.standard_normal((n, KINDS[kind].dim)).astype(np.float32)
    descriptors /= np.linalg.norm(descriptors, axis=1, keepdims=True)
    points = rng.uniform(-0.5, np.array(size) - 0.5, (n, 2)).astype(np.float32)
    found = Features(
        points,
        np.ones(n, np.float32),
        size,
        descriptors=descriptors,
        scales=rng.uniform(1, 9, n).astype(np.float32),
        oris=rng.uniform(-180, 180, n).astype(np.float32),
    )
    return View(name, found)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of the user's with the checkpoints of two kinds under their published names."""
    path = tmp_path_factory.mktemp("weights")
    for kind in ("sift", "xfeat"):
        torch.save(published_state(kind), path / KINDS[kind].filename)
    return path


OPTIONS = {"filter_threshold": 0.0, "depth_confidence": -1.0, "width_confidence": -1.0}


def kornias(kind: str, folder, views, monkeypatch, **options):
    """What kornia's own matcher says, built the way its users build it."""
    from kornia.feature import LightGlueMatcher, lightglue

    state = torch.load(folder / KINDS[kind].filename, weights_only=True)
    monkeypatch.setattr(lightglue, "load_state_dict_from_url", lambda *_, **__: dict(state))
    matcher = LightGlueMatcher(kind, options)
    # Pixels of COLMAP's frame, as ours; six scales, as kornia's frames of SIFT have.
    lafs = [torch.from_numpy(lafs_of(v.features, magnification=6))[None] for v in views]
    for laf in lafs:
        laf[..., 2] += 0.5
    described = [torch.from_numpy(v.features.descriptors) for v in views]
    with torch.inference_mode():
        return matcher(*described, *lafs, hw1=SIZE[::-1], hw2=SIZE[::-1])


def test_with_sizes_and_orientations_as_kornias_matcher(folder, monkeypatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    views = make_view("a", "sift"), make_view("b", "sift", 50)
    scores, expected = kornias("sift", folder, views, monkeypatch, **OPTIONS)
    matcher = MATCHERS.make({"name": "lightglue", "features": "sift", **OPTIONS})
    found = matcher(*views)
    assert found.indices.tolist() == expected.tolist()
    assert len(expected) > 5
    kept = found.matches0 >= 0
    assert found.scores0[kept] == pytest.approx(scores[:, 0].numpy(), rel=1e-3)
    assert matcher.identity["name"] == "lightglue-sift"
    assert len(matcher.identity["weights"]) == 64


def test_sizes_are_those_of_an_image_as_the_weights_were_trained_on(folder, monkeypatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    matcher = MATCHERS.make({"name": "lightglue", "features": "sift"})
    view = make_view("large", "sift", size=(4096, 3000))
    assert matcher._input(view)["scales"][0].numpy() == pytest.approx(view.features.scales / 4)
    bare = View("bare", replace(view.features, scales=None))
    with pytest.raises(ValueError, match="bare: the keypoints have no scales and orientations"):
        matcher(bare, view)


def test_lighterglue_of_xfeat(folder, monkeypatch) -> None:
    """Fewer layers, narrower; keypoints half a pixel outside the first pixel's centre."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    matcher = MATCHERS.make({"name": "lightglue", "features": "xfeat", "filter_threshold": 0.0})
    assert (matcher._network.conf.n_layers, matcher._network.conf.num_heads) == (6, 1)
    found = matcher(make_view("a", "xfeat"), make_view("b", "xfeat", 40))
    assert found.matches0.shape == (60,)
    assert found.matches0.max() < 40
    assert (found.scores0[found.matches0 < 0] == 0).all()
    none = View("none", Features(np.zeros((0, 2), np.float32), np.zeros(0, np.float32), SIZE))
    assert len(matcher(none, make_view("b", "xfeat")).matches0) == 0
    assert (matcher(make_view("a", "xfeat"), none).matches0 == -1).all()


def test_weights_are_found_by_path_and_must_fit(folder, no_weights, tmp_path) -> None:
    path = str(folder / KINDS["sift"].filename)
    assert MATCHERS.make({"name": "lightglue", "features": "sift", "weights": path})
    with pytest.raises(CheckpointError, match="not a checkpoint of lightglue-disk"):
        MATCHERS.make({"name": "lightglue", "features": "disk", "weights": path})
    with pytest.raises(CheckpointError, match="cannot download"):
        MATCHERS.make({"name": "lightglue", "features": "aliked"})
    assert no_weights[-1].endswith("v0.1_arxiv/aliked_lightglue.pth")


def test_a_kind_without_weights_is_answered_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="'rootsift' is not one of 'aliked', 'disk'"):
        MATCHERS.make({"name": "lightglue", "features": "rootsift"})
