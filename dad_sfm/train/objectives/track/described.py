"""Descriptors of points of batches, from any descriptor plug-in, frozen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ....core.config import ConfigError, build
from ....descriptors import DESCRIPTORS


class FrozenDescriptor:
    """One of `DESCRIPTORS`, asked for points of many images.

    ``weights`` is its checkpoint, where it has one.  Raises `ConfigError` for an unknown name, and
    for weights of a descriptor without; `CheckpointError` where its checkpoint cannot be had.
    """

    def __init__(self, name: str, weights: str | None, device: torch.device | str) -> None:
        plugin = DESCRIPTORS.plugin(name)
        options: Mapping[str, Any] = {} if weights is None else {"weights": weights}
        try:
            conf = build(plugin.Conf, options, where="objective.descriptor_weights")
        except ConfigError as error:
            raise ConfigError(f"the descriptor {name} takes no weights: {error}") from error
        self._describe = plugin(conf, device=str(device))
        self.identity: dict[str, Any] = self._describe.identity

    @torch.no_grad()
    def __call__(self, images: Tensor, points_px: Tensor) -> Tensor:
        """B×3×H×W images in [0, 1] and B×N×2 points in the pixel-index frame -> B×N×D."""
        found = [
            self._describe(image, points) for image, points in zip(images, points_px, strict=True)
        ]
        return torch.stack(found).float().to(images.device)
