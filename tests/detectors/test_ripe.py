"""RIPE as a plug-in, and as users of the original package know it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch
from blobs import texture
from PIL import Image

from dad_sfm import extract_features, vgg_hyper
from dad_sfm.detectors import DETECTORS
from dad_sfm.detectors.ripe import best_pixels
from dad_sfm.io.store import FeatureReader
from dad_sfm.models.checkpoints import CheckpointError
from dad_sfm.models.imagenet import normalize
from dad_sfm.models.ripe import RIPE, RIPENano


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference's file: a plain state dict, here of random weights."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "ripe_weights.pth"
    torch.save(RIPE().state_dict(), path)
    return path


@pytest.fixture(scope="module")
def image() -> torch.Tensor:
    return (255 * texture(64, 80)[0]).round() / 255


def test_best_pixels_are_local_maxima_above_the_threshold() -> None:
    logits = torch.full((9, 9), -5.0)
    logits[2, 3], logits[2, 4], logits[6, 6], logits[7, 1] = 2.0, 1.9, 3.0, 0.4
    points, scores = best_pixels(logits, 0.5, 10)
    assert points.tolist() == [[6, 6], [3, 2]]
    assert scores.tolist() == [3.0, 2.0]
    assert best_pixels(logits, 0.3, 1)[0].tolist() == [[6, 6]]
    left = torch.zeros(9, 9, dtype=torch.bool)
    left[:, :5] = True
    assert best_pixels(logits, 0.3, 10, allowed=left)[0].tolist() == [[3, 2], [1, 7]]


@pytest.mark.slow
def test_detect_and_compute(weights: Path, image: torch.Tensor) -> None:
    model = vgg_hyper(weights)
    points, described, scores, aux = model.detectAndCompute(
        image, threshold=-10.0, top_k=50, output_aux=True
    )
    assert points.shape == (50, 2)
    assert points.dtype == torch.float32
    assert torch.equal(points, points.round())
    assert described.shape == (50, 256)
    assert torch.allclose(described.norm(dim=1), torch.ones(50), atol=1e-4)
    assert (scores.diff() <= 0).all()
    heatmap = aux["heatmap"]
    x, y = points.long().unbind(1)
    assert torch.allclose(scores, heatmap[0, 0, y, x] / heatmap.max())
    # Normalised inside: the bare network sees the normalised image.
    with torch.no_grad():
        assert torch.allclose(heatmap, RIPE.forward(model, normalize(image[None])), atol=1e-4)
    assert [f.shape[1] for f in aux["descs"]] == [64, 128, 256, 512]
    again = model.detectAndCompute((image * 255).round().byte()[None], threshold=-10.0, top_k=50)
    assert len(again) == 3
    assert torch.equal(again[0], points)


def test_a_batch_is_refused_and_nothing_found_is_no_error(weights: Path) -> None:
    model = vgg_hyper(weights)
    with pytest.raises(ValueError, match="one RGB image"):
        model.detectAndCompute(torch.rand(2, 3, 32, 32))
    points, described, scores = model.detectAndCompute(torch.rand(3, 32, 32), threshold=1e9)
    assert (len(points), described.shape, len(scores)) == (0, (0, 256), 0)


def test_the_licence_is_said(weights: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        vgg_hyper(weights)
    assert "not for commercial use" in caplog.text


def test_the_file_is_asked_for_by_name_and_another_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAD_SFM_WEIGHTS", str(tmp_path))
    with pytest.raises(CheckpointError, match=r"ripe_weights\.pth .*fraunhoferhhi/RIPE"):
        vgg_hyper()
    torch.save(RIPENano().state_dict(), tmp_path / "ripe_weights.pth")
    with pytest.raises(CheckpointError, match="not a checkpoint of ripe"):
        vgg_hyper()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "network"), [("ripe", RIPE), ("ripe-nano", RIPENano)])
def test_the_plug_in_finds_what_the_network_says(
    name: str, network: type, tmp_path: Path, image: torch.Tensor
) -> None:
    torch.manual_seed(0)
    made = network().eval()
    path = tmp_path / "weights.pth"
    torch.save(made.state_dict(), path)
    options = {"weights": str(path), "detection_threshold": -10.0, "max_keypoints": 30}
    plugin = DETECTORS.make({"name": name, "border": 16, **options})
    masks = torch.ones(1, 64, 80, dtype=torch.bool)
    masks[:, :, 60:] = False
    (found,) = plugin(image[None], masks)
    assert 0 < len(found.scores) <= 30
    x, y = found.keypoints_px.unbind(1)
    assert x.min() >= 16
    assert x.max() < 60
    assert y.min() >= 16
    assert y.max() < 48
    with torch.no_grad():
        inputs = normalize(image[None])
        logits = made(inputs)[0, 0]
        described = made.describe(made.encode(inputs), found.keypoints_px[None], inputs)[0]
    assert torch.allclose(found.scores, logits[y.long(), x.long()] / logits.max(), atol=1e-4)
    assert torch.allclose(found.descriptors, described, atol=1e-4)
    assert plugin.identity["dim"] == made.dim


def test_the_preset_writes_hlocs_file(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    pixels = (255 * texture(64, 80)[0]).byte().permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(tmp_path / "images" / "a.png")
    conf = extract_features.confs["ripe"]
    model = {**conf["model"], "weights": str(weights), "detection_threshold": -10.0}
    path = extract_features.main(
        {**conf, "model": model}, tmp_path / "images", tmp_path / "out", device="cpu"
    )
    with FeatureReader(path) as reader:
        features = reader.read("a.png")
    assert features.descriptors.shape == (len(features), 256)
    assert len(features) > 0
