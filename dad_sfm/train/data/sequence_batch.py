"""Batches of sequences: a reference frame, and others whose content is known from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .batch import TensorBatch
from .view_sampling import ViewConf


@dataclass(frozen=True)
class SequenceBatch(TensorBatch):
    """B sequences of a reference and K other frames, H×W pixels each.

    reference  B×3×H×W float32 RGB in [0, 1]
    frames     B×K×3×H×W likewise
    warps      B×K×H×W×2: where each pixel centre of the reference lies in each frame, normalised
    valid      B×K×H×W bool: pixels of the reference whose warp is known, that lie inside the frame
               and are visible there
    """

    reference: Tensor
    frames: Tensor
    warps: Tensor
    valid: Tensor


@dataclass(frozen=True)
class SequenceConf(ViewConf):
    """What data plugs of sequences are asked.

    A sequence is one look at all its frames: turned, scaled and shifted alike, so that only the
    camera moves between them.
    """

    batch: int = 4  # sequences per step
    frames: int = 4  # beside the reference
    rotation_deg: float = 15.0
    scale: float = 1.2
    shift_px: float = 16.0
    canvas: float = 1.25
    # Steps over which sequences become harder, class by class, in equal shares; 0 = all at once.
    curriculum: int = 0


def difficulty(step: int, curriculum: int, classes: int) -> int | None:
    """The class of difficulty that a step draws from, 0 the easiest; None for all of them."""
    if curriculum < 1:
        return None
    return min(classes - 1, step * classes // curriculum)


def stack_frames(
    images: Sequence[Tensor], warps: Sequence[Tensor], valid: Sequence[Tensor]
) -> SequenceBatch:
    """A batch of the images of the reference and of each frame, and warps to each frame."""
    reference, *frames = images
    return SequenceBatch(
        reference, torch.stack(frames, 1), torch.stack(list(warps), 1), torch.stack(list(valid), 1)
    )
