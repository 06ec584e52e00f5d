"""The descriptor on a detector's own features, and on the features that it computes itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from blobs import texture
from safetensors.torch import save_file

from dad_sfm.descriptors import DESCRIPTORS
from dad_sfm.descriptors.base import EncodingDescriptor
from dad_sfm.detectors import DETECTORS
from dad_sfm.execution.extractor import Extractor, Photo
from dad_sfm.models.checkpoints import CheckpointError, sha256_of
from dad_sfm.models.dad import DaD
from dad_sfm.models.dad_weights import find_weights
from dad_sfm.models.hypercolumn import DaDHypercolumn, Hypercolumn

NANO = {"name": "dad-nano", "max_keypoints": 60}


def saved(path: Path, network: torch.nn.Module, **metadata: str) -> str:
    torch.manual_seed(0)
    save_file(network.state_dict(), str(path), metadata=metadata)
    return str(path)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Random weights, said to be of the packaged detector's features."""
    path = tmp_path_factory.mktemp("weights") / "hypercolumn.safetensors"
    return saved(path, Hypercolumn(), encoder=sha256_of(find_weights("nano")))


def make(weights: str, **options: object):
    return DESCRIPTORS.make({"name": "hypercolumn", "weights": weights, **options})


def test_shared_features_give_what_own_features_give(
    weights: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In bfloat16 the last bit of a feature may move an entry by one of its own steps.
    monkeypatch.setattr("dad_sfm.descriptors.hypercolumn.has_fast_bf16", lambda device: False)
    images = torch.cat([texture(96, 128, seed) for seed in (0, 1)])
    detector, descriptor = DETECTORS.make(NANO), make(weights)
    assert isinstance(descriptor, EncodingDescriptor)
    encoding = detector.encode(images)
    points = [found.keypoints_px for found in detector.detect(encoding)]
    shared = descriptor.describe(encoding, points)
    for image, at, found in zip(images, points, shared, strict=True):
        torch.testing.assert_close(found.norm(dim=1), torch.ones(len(at)))
        torch.testing.assert_close(found, descriptor(image, at), atol=1e-5, rtol=1e-4)


def test_bfloat16_moves_descriptors_by_less_than_their_digits(
    weights: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the processor is fast with it or not: here it is asked for."""
    image, at = texture(96, 128, 0)[0], torch.rand(40, 2) * 90
    found = []
    for fast in (False, True):
        monkeypatch.setattr(
            "dad_sfm.descriptors.hypercolumn.has_fast_bf16", lambda device, fast=fast: fast
        )
        found.append(make(weights)(image, at))
    assert found[1].dtype == torch.float32
    assert (found[0] - found[1]).abs().max() > 0  # it was used
    assert (found[0] * found[1]).sum(dim=1).min() > 0.999


def test_the_extractor_encodes_once(weights: str, monkeypatch: pytest.MonkeyPatch) -> None:
    extractor = Extractor({**NANO, "descriptor": {"name": "hypercolumn", "weights": weights}})
    monkeypatch.setattr(
        type(extractor.descriptor), "_load_encoder", lambda _: pytest.fail("encoded again")
    )
    pixels = (texture(96, 128)[0] * 255).byte().numpy()
    (features,) = extractor([Photo(pixels, (128, 96))])
    assert features.descriptors is not None
    assert features.descriptors.shape == (len(features.keypoints_px), 128)


def test_any_size_and_no_points(weights: str) -> None:
    descriptor = make(weights)
    image = texture(100, 132)[0][:, :99, :131]
    at = torch.tensor([[0.0, 0.0], [130.0, 98.0]])
    assert np.isfinite(descriptor(image, at).numpy()).all()
    assert descriptor(image, torch.zeros(0, 2)).shape == (0, 128)


def test_features_of_other_weights_are_not_shared(tmp_path: Path) -> None:
    strange = saved(tmp_path / "h.safetensors", Hypercolumn(), encoder="0" * 64)
    extractor = Extractor({**NANO, "descriptor": {"name": "hypercolumn", "weights": strange}})
    pixels = (texture(64, 64)[0] * 255).byte().numpy()
    with pytest.raises(CheckpointError, match="other weights"):
        extractor([Photo(pixels, (64, 64))])


def test_the_full_network_has_one_too(tmp_path: Path) -> None:
    torch.manual_seed(0)
    detector_weights = tmp_path / "dad.safetensors"
    save_file(DaD().state_dict(), str(detector_weights))
    weights = saved(tmp_path / "h.safetensors", DaDHypercolumn())
    detector = DETECTORS.make({"name": "dad", "weights": str(detector_weights), "max_keypoints": 9})
    encoding = detector.encode(texture(64, 96))
    points = [found.keypoints_px for found in detector.detect(encoding)]
    (found,) = make(weights, encoder="dad").describe(encoding, points)
    assert found.shape == (len(points[0]), 128)


@pytest.mark.usefixtures("no_weights")
def test_without_weights_the_full_networks_say_what_to_do() -> None:
    with pytest.raises(CheckpointError, match="dad_hypercolumn"):
        DESCRIPTORS.make({"name": "hypercolumn", "encoder": "dad"})
