"""The networks alone: as trained, as the detectors run them, and in half precision."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from ...core.device import has_fast_bf16
from ...models.cpu_networks import network_on_cpu
from ...models.encoding import EncodingNetwork
from ...models.folding import fold_batch_norm
from ...models.networks import NETWORKS
from .timing import Timing, interleaved


@dataclass(frozen=True)
class Work:
    """What the convolutions of a network do to one image.

    macs   multiplications
    bytes  of float32 inputs, weights and outputs, each read or written once
    """

    macs: int
    bytes: int


def networks(
    name: str, size: tuple[int, int], *, device: torch.device, batch: int = 1, repeats: int
) -> dict[str, Timing]:
    """Seconds per image of ``size`` (W, H) of a network with random weights."""
    W, H = size
    images = torch.rand(batch, 3, H, W, device=device)
    plain = NETWORKS.plugin(name)().eval().to(device)
    folded = fold_batch_norm(plain).to(memory_format=torch.channels_last)
    laid_out = images.contiguous(memory_format=torch.channels_last)
    runs = {
        f"{name}, as trained": partial(_run, plain, images),
        f"{name}, folded, channels last": partial(_run, folded, laid_out),
    }
    on_cpu = network_on_cpu(folded, None) if device.type == "cpu" else None
    if on_cpu is not None:
        runs[f"{name}, in its form for CPUs"] = partial(_run, on_cpu, laid_out)
    if has_fast_bf16(device):
        half = partial(_run, folded, laid_out, torch.bfloat16)
        runs[f"{name}, folded, channels last, bfloat16"] = half
        on_cpu = network_on_cpu(folded, torch.bfloat16) if device.type == "cpu" else None
        if on_cpu is not None:
            runs[f"{name}, in its form for CPUs, bfloat16"] = partial(_run, on_cpu, laid_out)
    if batch > 1:
        runs = {f"{label}, {batch} at once": run for label, run in runs.items()}
    return interleaved(runs, items=batch, repeats=repeats)


@torch.inference_mode()
def _run(
    network: nn.Module | EncodingNetwork, images: Tensor, dtype: torch.dtype | None = None
) -> None:
    with torch.autocast(images.device.type, dtype=dtype, enabled=dtype is not None):
        if isinstance(network, EncodingNetwork):
            network.decode(network.encode(images), images)
        else:
            network(images)


def work(name: str, size: tuple[int, int]) -> Work:
    """The work of a network as trained on an image of ``size`` (W, H)."""
    W, H = size
    macs = elements = 0

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal macs, elements
        assert isinstance(module, nn.Conv2d)
        macs += output.numel() * module.weight[0].numel()
        elements += inputs[0].numel() + module.weight.numel() + output.numel()

    network = NETWORKS.plugin(name)().eval()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(count)
    _run(network, torch.zeros(1, 3, H, W))
    return Work(macs, 4 * elements)
