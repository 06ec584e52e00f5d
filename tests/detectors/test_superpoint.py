"""SuperPoint and Reinforced Feature Points: the network, its layout, the plug-ins' frame."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch
from blobs import grid, texture
from torch.nn.functional import normalize

from dad_sfm.detectors import DETECTORS
from dad_sfm.models.checkpoints import CheckpointError
from dad_sfm.models.superpoint import SuperPoint

NAMES = ["superpoint", "reinforced-feature-points"]
# The published layout: name of a layer, channels out and in, side of its kernel.
LAYERS = [
    ("conv1a", 64, 1, 3), ("conv1b", 64, 64, 3), ("conv2a", 64, 64, 3), ("conv2b", 64, 64, 3),
    ("conv3a", 128, 64, 3), ("conv3b", 128, 128, 3), ("conv4a", 128, 128, 3),
    ("conv4b", 128, 128, 3), ("convPa", 256, 128, 3), ("convPb", 65, 256, 1),
    ("convDa", 256, 128, 3), ("convDb", 256, 256, 1),
]  # fmt: skip


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights in the published layout, written without our network."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, out, inner, side in LAYERS:
        spread = (2 / (inner * side**2)) ** 0.5
        state[f"{name}.weight"] = torch.randn(out, inner, side, side, generator=generator) * spread
        state[f"{name}.bias"] = torch.zeros(out)
    path = tmp_path_factory.mktemp("weights") / "superpoint_v1.pth"
    torch.save(state, path)
    return path


def make(weights: Path, name: str = "superpoint", **options: object):
    return DETECTORS.make({"name": name, "weights": str(weights), **options})


# ----------------------------------------------------------------------------- the network
def test_shapes_and_lengths() -> None:
    probs, descriptors = SuperPoint()(torch.rand(2, 1, 48, 64))
    assert probs.shape == (2, 48, 64)
    assert descriptors.shape == (2, 256, 6, 8)
    torch.testing.assert_close(descriptors.norm(dim=1), torch.ones(2, 6, 8))
    assert (probs > 0).all()
    cells = probs.unflatten(1, (6, 8)).unflatten(3, (8, 8)).sum(dim=(2, 4))
    assert (cells < 1).all()  # what is missing is the probability of no point


@pytest.mark.parametrize(("x", "y"), [(5, 3), (0, 7)])
def test_channels_are_the_pixels_of_a_cell_row_by_row(x: int, y: int) -> None:
    network = SuperPoint()
    torch.nn.init.zeros_(network.convPb.weight)
    torch.nn.init.zeros_(network.convPb.bias)
    network.convPb.bias.data[8 * y + x] = 5.0
    probs, _ = network(torch.rand(1, 1, 16, 24))
    found = (probs[0] > 0.3).nonzero().tolist()
    assert found == [[8 * i + y, 8 * j + x] for i in range(2) for j in range(3)]


# ---------------------------------------------------------------------------- the plug-ins
def test_points_are_where_the_probability_peaks(weights: Path) -> None:
    """The network is replaced by peaks, and by descriptors that tell where they were read."""
    find = make(weights)
    H, W = 48, 64
    places = torch.tensor([[10.0, 20.0], [50.0, 8.0], [4.0, 43.0]])
    probs = torch.zeros(1, H, W)
    for height, (px, py) in zip((0.9, 0.8, 0.7), places.int().tolist(), strict=True):
        probs[0, py, px] = height
    probs[0, 20, 13] = 0.85  # within the radius of the first
    probs[0, 20, 2] = 0.95  # in the border
    x, y = grid(H // 8, W // 8)
    cells = torch.stack([8 * x + 3.5, 8 * y + 3.5, torch.full_like(x, 100.0, dtype=torch.float32)])
    dense = torch.cat([cells, torch.zeros(253, H // 8, W // 8)])[None]
    find._network.forward = lambda grey: (probs, dense)
    (found,) = find(torch.zeros(1, 3, H, W))
    torch.testing.assert_close(found.keypoints_px, places)
    torch.testing.assert_close(found.scores, torch.tensor([0.9, 0.8, 0.7]))
    read = found.descriptors[:, :2] / found.descriptors[:, 2:3] * 100
    torch.testing.assert_close(read[:2], places[:2])


def test_budget_order_threshold_and_batch(weights: Path) -> None:
    image = texture(64, 96)
    everything, other = make(weights)(torch.cat([image, image.flip(3)]))
    n = len(everything.scores)
    assert 20 < n < 2048
    assert (everything.scores.diff() <= 0).all()
    assert everything.descriptors.shape == (n, 256)
    torch.testing.assert_close(everything.descriptors.norm(dim=1), torch.ones(n))
    spacing = torch.cdist(everything.keypoints_px, everything.keypoints_px, p=torch.inf)
    assert spacing.fill_diagonal_(99).min() > 4
    (few,) = make(weights, max_keypoints=5)(image)
    torch.testing.assert_close(few.keypoints_px, everything.keypoints_px[:5])
    (alone,) = make(weights)(image.flip(3))
    torch.testing.assert_close(alone.keypoints_px, other.keypoints_px)
    (none,) = make(weights, detection_threshold=0.999)(image)
    assert none.keypoints_px.shape == (0, 2)
    assert none.descriptors.shape == (0, 256)


def test_content_moved_by_a_cell_has_moved_points_and_the_same_descriptors(weights: Path) -> None:
    image = texture(168, 168)
    find = make(weights)
    (before,), (after,) = find(image[..., :160, :160]), find(image[..., 8:, 8:])
    inner = ((before.keypoints_px - 80).abs() < 20).all(dim=1)  # what sees no border
    distance, index = torch.cdist(before.keypoints_px[inner] - 8, after.keypoints_px).min(dim=1)
    assert inner.sum() > 3
    assert distance.max() == 0
    alike = (before.descriptors[inner] * after.descriptors[index]).sum(dim=1)
    torch.testing.assert_close(alike, torch.ones(len(index)), atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", NAMES)
def test_a_licence_that_forbids_commerce_is_said_once(
    weights: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        find = make(weights, name)
        find(texture(32, 32))
    assert [r.levelname for r in caplog.records] == ["WARNING"]
    assert f"{name} is not for commercial use" in caplog.text
    assert find.identity["name"] == name
    assert len(find.identity["weights"]) == 64


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("superpoint", ("superpoint_v1.pth", "magicleap/SuperPointPretrainedNetwork")),
        ("reinforced-feature-points", ("baseline_mixed_loss.pth", "Reinforced-Feature-Points")),
    ],
)
def test_weights_are_never_downloaded(
    no_weights: list[str], name: str, words: tuple[str, ...]
) -> None:
    with pytest.raises(CheckpointError) as caught:
        DETECTORS.make({"name": name})
    for word in (*words, "licence", "'weights'"):
        assert word in str(caught.value)
    assert not no_weights


def test_another_network_is_refused(weights: Path, tmp_path: Path) -> None:
    state = torch.load(weights, weights_only=True)
    state["convXa.bias"] = state.pop("convDb.bias")
    torch.save(state, tmp_path / "b.pth")
    with pytest.raises(CheckpointError, match=r"missing: convDb.bias; unexpected: convXa.bias"):
        make(tmp_path / "b.pth")
    with pytest.raises(ValueError, match="nms_radius must be at least 1"):
        make(weights, nms_radius=0)


def test_lengths_do_not_depend_on_the_network(weights: Path) -> None:
    """Between two cells the mean of two unit vectors is shorter; it is made whole again."""
    find = make(weights)
    dense = normalize(torch.randn(1, 256, 4, 4), dim=1)
    probs = torch.zeros(1, 32, 32)
    probs[0, 11, 16] = 0.5
    find._network.forward = lambda grey: (probs, dense)
    (found,) = find(torch.zeros(1, 3, 32, 32))
    torch.testing.assert_close(found.descriptors.norm(dim=1), torch.ones(1))
