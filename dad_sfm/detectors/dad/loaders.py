"""``load_DaD`` and its kin: a detector with its published weights, in one call."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import nn

from ...core.config import ConfigError
from ...models.dad import DaD
from ...models.dad_weights import find_weights
from ...models.nano import Nano
from ...models.pretrained import load_weights
from .detector import DaDDetector

NanoVariant = Literal["nano", "nano-light", "nano-dark"]
Variant = Literal["dad", "light", "dark", NanoVariant]


def load_DaD(
    resize: int = 1024,
    nms_size: int = 3,
    remove_borders: bool = True,
    increase_coverage: bool = False,
    coverage_pow: float | None = None,
    coverage_size: int | None = None,
    subpixel: bool = True,
    subpixel_temp: float = 0.5,
    keep_aspect_ratio: bool = True,
    pretrained: bool = True,
    weights_path: Path | str | None = None,
    *,
    device: str = "auto",
    amp_dtype: torch.dtype | None = None,
    outside_logit: float = 0.0,
    orientations: int = 1,
    balance: float = 0.0,
    variant: Variant = "dad",
) -> DaDDetector:
    """The detector distilled from light and dark.

    resize             long side at which images are worked on, px
    nms_size           odd side of the window in which a keypoint is the only one, px
    remove_borders     no keypoint in the outer 4 px of the resized image
    increase_coverage, coverage_pow, coverage_size
                       must be as they are, for they are not offered: ``balance`` spreads points
    subpixel           refine by the mean of the softmax of the logits / ``subpixel_temp``, 3×3 px
    keep_aspect_ratio  else images are squeezed into a square
    pretrained         false: random weights, for tests and training
    weights_path       a local path or a URL of a checkpoint, instead of the published one
    device             "auto", "cpu", "cuda", "mps", or a device by its name in torch
    amp_dtype          half precision of the network, None for float32.  bfloat16 halves the time
                       on CPUs that have it in hardware (AVX512-BF16, AMX)
    outside_logit      what sub-pixel refinement takes for the outside of the image, which matters
                       only without ``remove_borders``: 0 as published, -inf for nothing
    orientations       1; or the mean over the image and its copies mirrored (2), upside down (4)
                       and lying (8), which takes so many times as long and repeats more; preset
                       dad-nano-x4 is 4 of them, and its ``resize`` is 1600
    balance            points are chosen by probability / (how crowded it is around) ** balance, see
                       `balance.crowding`; 0, as published: by probability
    variant            whose network and published weights

    The order of the parameters is that of the original package.  Raises `ConfigError` for what is
    not offered, and `CheckpointError` (a FileNotFoundError) when the weights cannot be had or do
    not fit.
    """
    if increase_coverage:
        raise ConfigError("increase_coverage is not offered: spread points with balance=1.0")
    network: nn.Module = Nano() if variant in get_args(NanoVariant) else DaD()
    digest = load_weights(network, find_weights(variant, weights_path)) if pretrained else None
    return DaDDetector(
        network,
        resize=resize,
        nms_size=nms_size,
        remove_borders=remove_borders,
        subpixel=subpixel,
        subpixel_temp=subpixel_temp,
        keep_aspect_ratio=keep_aspect_ratio,
        device=device,
        amp_dtype=amp_dtype,
        outside_logit=outside_logit,
        orientations=orientations,
        balance=balance,
        weights_sha256=digest,
    )


# The same call with another network or other weights.
load_DaDLight = partial(load_DaD, variant="light")  # emergent detector of bright points
load_DaDDark = partial(load_DaD, variant="dark")  # emergent detector of dark points
# Compact, come with the package; with the windows they were trained in, their points spread.
load_DaDNano = partial(load_DaD, variant="nano", nms_size=7, subpixel_temp=2.5, balance=1.0)
load_DaDNanoLight = partial(load_DaDNano, variant="nano-light")
load_DaDNanoDark = partial(load_DaDNano, variant="nano-dark")
