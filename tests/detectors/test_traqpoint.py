"""TraqPoint's detector: its layers, its files, its points."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from dad_sfm import extract_features
from dad_sfm.detectors import DETECTORS
from dad_sfm.models.checkpoints import CheckpointError
from dad_sfm.models.imagenet import normalize
from dad_sfm.models.networks import NETWORKS
from dad_sfm.models.traqpoint import TraqPoint

# Layers of the public code's detector (xiaomi-research/traqpoint), and the shapes of their weights.
PUBLISHED = {
    "block1.conv1.weight": (8, 3, 3, 3),
    "block1.bn2.running_var": (8,),
    "block2.conv2.weight": (16, 16, 3, 3),
    "block2.downsample.bias": (16,),
    "block4.conv1.weight": (64, 32, 3, 3),
    "conv1.weight": (16, 8, 1, 1),
    "conv4.weight": (16, 64, 1, 1),
    "policy_head.weight": (1, 64, 1, 1),
}


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return TraqPoint().state_dict()


def saved(path: Path, state: dict[str, torch.Tensor]) -> str:
    torch.save(state, path)
    return str(path)


def test_layers_are_called_as_in_published_checkpoints(state: dict[str, torch.Tensor]) -> None:
    assert {key: tuple(state[key].shape) for key in PUBLISHED} == PUBLISHED
    # Four blocks of two convolutions and norms of 5 entries, three with a 1×1 beside, and 5 more.
    assert len(state) == 4 * 2 * (1 + 5) + 3 * 2 + 5
    assert NETWORKS.plugin("traqpoint") is TraqPoint


def test_of_a_published_checkpoint_the_detector_is_read_strictly(
    tmp_path: Path, state: dict[str, torch.Tensor]
) -> None:
    whole = {f"detector.{key}": value for key, value in state.items()}
    whole["descriptor.backbone.stem.weight"] = torch.zeros(3)
    find = DETECTORS.make({"name": "traqpoint", "weights": saved(tmp_path / "whole.pth", whole)})
    for key, value in find._network.state_dict().items():
        assert torch.equal(value, state[key])
    alone = DETECTORS.make({"name": "traqpoint", "weights": saved(tmp_path / "own.pth", state)})
    assert alone.identity["name"] == find.identity["name"] == "traqpoint"
    del whole["detector.conv3.weight"]
    with pytest.raises(CheckpointError, match=r"missing: conv3\.weight"):
        DETECTORS.make({"name": "traqpoint", "weights": saved(tmp_path / "less.pth", whole)})
    with pytest.raises(CheckpointError, match="xiaomi-research"):
        DETECTORS.make({"name": "traqpoint"})


def test_the_network_reads_images_in_0_1_and_any_size(state: dict[str, torch.Tensor]) -> None:
    network = TraqPoint().eval()
    network.load_state_dict(state)
    seen = []
    network.block1.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    images = torch.rand(2, 3, 40, 70)
    assert network(normalize(images)).shape == (2, 1, 40, 70)
    torch.testing.assert_close(seen[0][..., :40, :70], images)
    assert seen[0].shape[-2:] == (64, 96)


class Fixed(nn.Module):
    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.logits


def test_points_are_peaks_of_the_sigmoid_refined(
    tmp_path: Path, state: dict[str, torch.Tensor]
) -> None:
    find = DETECTORS.make(
        {"name": "traqpoint", "weights": saved(tmp_path / "own.pth", state), "max_keypoints": 2}
    )
    logits = torch.full((1, 1, 32, 64), -9.0)
    logits[0, 0, 10, 20] = 2.0
    logits[0, 0, 10, 22] = 1.0  # within the radius of the first
    logits[0, 0, 20, 40] = -1.0
    logits[0, 0, 1, 1] = 5.0  # at the border
    logits[0, 0, 20, 50] = -5.0  # a sigmoid below 0.01
    find._network = Fixed(logits)
    (found,) = find(torch.rand(1, 3, 32, 64))
    torch.testing.assert_close(found.scores, torch.tensor([2.0, -1.0]).sigmoid())
    # The neighbour pulls the first point by the softmax of the sigmoids at temperature 0.1.
    weights = (logits[0, 0, 8:13, 18:23].sigmoid() / 0.1).flatten().softmax(0).view(5, 5)
    shift = (weights.sum(0) * torch.arange(-2.0, 3)).sum()
    torch.testing.assert_close(found.keypoints_px[0], torch.stack([20 + shift, torch.tensor(10.0)]))
    torch.testing.assert_close(found.keypoints_px[1], torch.tensor([40.0, 20.0]))


def test_the_preset_describes_its_points() -> None:
    model = extract_features.confs["traqpoint"]["model"]
    assert model == {"name": "traqpoint", "descriptor": {"name": "rootsift"}}


@pytest.mark.parametrize(
    "options", [{"max_keypoints": 0}, {"nms_radius": 0}, {"subpixel_temp": 0.0}]
)
def test_impossible_options_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="traqpoint"):
        DETECTORS.make({"name": "traqpoint", **options})
