"""Networks in their form for CPUs, compared with the readable ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dad_sfm.models import cpu_networks
from dad_sfm.models.cpu_networks import network_on_cpu
from dad_sfm.models.dad import DaD, Decoder, Encoder, Refiner
from dad_sfm.models.encoding import EncodingNetwork
from dad_sfm.models.folding import fold_batch_norm
from dad_sfm.models.fused import FusedConv, can_fuse
from dad_sfm.models.nano import Nano

pytestmark = pytest.mark.skipif(
    not can_fuse(torch.float32), reason="this build of torch has no fused convolutions"
)


def small_dad() -> DaD:
    """DaD with an eighth of its channels."""
    network = DaD()
    network.encoder = Encoder(((8,), (16,), (32, 32), (64, 64)))
    network.decoder = Decoder(
        {
            "8": Refiner(64, hidden=64, context=32),
            "4": Refiner(32 + 32, hidden=32, context=16),
            "2": Refiner(16 + 16, hidden=8, context=4),
            "1": Refiner(8 + 4, hidden=4, context=1),
        }
    )
    return network


def folded(kind: Callable[[], nn.Module]) -> nn.Module:
    """A network whose folded batch norms did something, and with biases."""
    torch.manual_seed(0)
    network = kind()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.2)
    return fold_batch_norm(network)


def outputs(network: EncodingNetwork, images: Tensor) -> tuple[list[Tensor], Tensor]:
    with torch.inference_mode():
        features = network.encode(images)
        return list(features), network.decode(features, images)


@pytest.mark.parametrize("kind", [small_dad, Nano])
@pytest.mark.parametrize("size", [(2, 3, 24, 40), (1, 3, 19, 29)])
def test_the_same_numbers(kind: Callable[[], nn.Module], size: tuple[int, ...]) -> None:
    plain = folded(kind)
    form = network_on_cpu(plain, None)
    assert form is not None
    assert isinstance(plain, EncodingNetwork)
    images = torch.randn(size, generator=torch.Generator().manual_seed(1))
    expected_features, expected = outputs(plain, images)
    features, logits = outputs(form, images)
    for each, wanted in zip(features, expected_features, strict=True):
        torch.testing.assert_close(each, wanted, rtol=0, atol=1e-5 * float(wanted.max()))
    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-4 * float(expected.std()))


@pytest.mark.parametrize("kind", [small_dad, Nano])
def test_half_precision_has_float32_logits(kind: Callable[[], nn.Module]) -> None:
    plain = folded(kind)
    form = network_on_cpu(plain, torch.bfloat16)
    if form is None:
        pytest.skip("this processor has no bfloat16")
    assert isinstance(plain, EncodingNetwork)
    images = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    _, expected = outputs(plain, images)
    features, logits = outputs(form, images)
    assert {each.dtype for each in features} == {torch.bfloat16}
    assert logits.dtype == torch.float32
    assert 0 < (logits - expected).abs().mean() < 0.1 * expected.std()


def test_weights_are_copied() -> None:
    """A network that is changed afterwards, or freed, does not change what was made of it."""
    plain = folded(Nano)
    form = network_on_cpu(plain, None)
    assert form is not None
    images = torch.randn(1, 3, 32, 32)
    _, before = outputs(form, images)
    with torch.no_grad():
        for parameter in plain.parameters():
            parameter.zero_()
    _, after = outputs(form, images)
    assert torch.equal(before, after)


def test_none_without_the_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_networks, "can_fuse", lambda dtype: False)
    assert network_on_cpu(folded(Nano), None) is None


def test_none_of_other_networks() -> None:
    assert network_on_cpu(nn.Conv2d(3, 1, 1), None) is None


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(4, 6, 3, stride=2, padding=1),
        nn.Conv2d(6, 6, 5, padding=2, groups=6, bias=False),
        nn.Conv2d(3, 5, 1),
    ],
)
def test_a_fused_convolution(conv: nn.Conv2d, relu: bool) -> None:
    x = torch.randn(2, conv.in_channels, 9, 11).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        expected = conv(x)
        plus = torch.randn_like(expected)
        fused = FusedConv.of(conv, relu=relu)
        for added in (None, plus):
            wanted = expected if added is None else expected + added
            wanted = F.relu(wanted) if relu else wanted
            torch.testing.assert_close(fused(x, added), wanted, rtol=0, atol=1e-5)


def test_what_torch_lacks_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert can_fuse.__wrapped__(torch.float32)
    monkeypatch.setattr(FusedConv, "__call__", lambda self, x, plus=None: x[:, :3])
    assert not can_fuse.__wrapped__(torch.float32)

    def missing(self: FusedConv, x: Tensor, plus: Tensor | None = None) -> Tensor:
        raise AttributeError("no such operation")

    monkeypatch.setattr(FusedConv, "__call__", missing)
    assert not can_fuse.__wrapped__(torch.float32)
