"""RIPE's network: the names and shapes of the published checkpoint, and its descriptors."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from dad_sfm.models.ripe import RIPE, RIPENano


def published_shapes() -> dict[str, tuple[int, ...]]:
    """Keys and shapes of ``ripe_weights.pth``, from the facts of the architecture.

    Convolutions of VGG-19 with batch norm are numbered with their norms, ReLUs and pools; each
    refiner has a block of 1×1 and eight of depthwise 5×5 convolutions.
    """
    shapes: dict[str, tuple[int, ...]] = {}

    def conv(name: str, out: int, into: int, size: int) -> None:
        shapes[f"{name}.weight"] = (out, into, size, size)
        shapes[f"{name}.bias"] = (out,)

    def norm(name: str, width: int) -> None:
        for key in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.{key}"] = (width,)
        shapes[f"{name}.num_batches_tracked"] = ()

    index, channels = 0, 3
    for width, count in ((64, 2), (128, 2), (256, 4), (512, 4)):
        for _ in range(count):
            conv(f"net.encoder.layers.{index}", width, channels, 3)
            norm(f"net.encoder.layers.{index + 1}", width)
            index, channels = index + 3, width
        index += 1  # the pool
    refiners = {"8": (512, 512, 257), "4": (512, 256, 129), "2": (256, 128, 65), "1": (128, 64, 2)}
    for scale, (into, hidden, out) in refiners.items():
        name = f"net.decoder.layers.{scale}"
        blocks = [(f"{name}.block1", into, 1)]
        blocks += [(f"{name}.hidden_blocks.{i}", 1, 5) for i in range(8)]
        for block, inputs, size in blocks:
            conv(f"{block}.0", hidden, inputs, size)
            norm(f"{block}.1", hidden)
            conv(f"{block}.3", hidden, hidden, 1)
        conv(f"{name}.out_conv", out, hidden, 1)
    shapes["conv_dim_reduction_coarse_desc.weight"] = (256, 960, 1)
    shapes["conv_dim_reduction_coarse_desc.bias"] = (256,)
    return shapes


def test_keys_and_shapes_are_those_of_the_published_checkpoint() -> None:
    with torch.device("meta"):
        found = {key: tuple(value.shape) for key, value in RIPE().state_dict().items()}
    assert found == published_shapes()


def test_one_logit_per_pixel_whatever_the_size() -> None:
    torch.manual_seed(0)
    network = RIPE().eval()
    with torch.no_grad():
        assert network(torch.rand(1, 3, 24, 40)).shape == (1, 1, 24, 40)
        assert network(torch.rand(1, 3, 27, 43)).shape == (1, 1, 27, 43)


def test_brightness_and_contrast_do_not_matter() -> None:
    torch.manual_seed(0)
    network, images = RIPENano().eval(), torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        assert torch.allclose(network(images), network(0.4 * images + 0.3), atol=1e-3)


def test_one_pass_describes_where_it_is_asked_to() -> None:
    torch.manual_seed(0)
    network, images = RIPENano().eval(), torch.rand(2, 3, 32, 48)
    seen = []

    def choose(logits: torch.Tensor) -> torch.Tensor:
        seen.append(logits)
        return torch.tensor([[3.0, 5.0], [47.0, 31.0], [20.25, 7.5]]).expand(2, 3, 2)

    with torch.no_grad():
        logits, described = network(images, choose)
        features = network.encode(images)
    assert seen[0] is logits
    assert described.shape == (2, 3, network.dim)
    assert torch.allclose(described.norm(dim=-1), torch.ones(2, 3), atol=1e-5)
    # The corner pixel of the image is the corner pixel of every map.
    corner = torch.cat([f[:, :, -1, -1] for f in features], dim=1)[..., None]
    expected = F.normalize(network.conv_dim_reduction_coarse_desc(corner)[..., 0], dim=1)
    assert torch.allclose(described[:, 1], expected, atol=1e-5)


@pytest.mark.parametrize("count", [0, 1])
def test_few_points_are_described_too(count: int) -> None:
    network, images = RIPENano().eval(), torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        described = network.describe(network.encode(images), torch.zeros(1, count, 2), images)
    assert described.shape == (1, count, 128)
