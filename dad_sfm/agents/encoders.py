"""Encoders of keypoints: a graph network over them, or convolutions of masked features."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

OUTPUTS = 128
LATENT, DECODED = 32, 64


def _mlp(inputs: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, width),
        nn.LayerNorm(width),
        nn.ReLU(),
        nn.Linear(width, width),
        nn.LayerNorm(width),
        nn.ReLU(),
    )


class GraphEncoder(nn.Module):
    """One step of messages between all keypoints, themselves included.

    Layer norm stands where the publication has batch norm: what an agent sees changes with what
    it does, and running means would lag behind.
    """

    outputs = OUTPUTS

    def __init__(self, num_keypoints: int, channels: int) -> None:
        super().__init__()
        self.place = nn.Sequential(nn.Linear(2, 64), nn.LayerNorm(64), nn.ReLU(), nn.Linear(64, 32))
        self.node = _mlp(channels + 32, LATENT)
        self.message = _mlp(2 * LATENT, LATENT)
        self.update = _mlp(2 * LATENT, LATENT)
        self.decode = _mlp(LATENT, DECODED)
        self.join = _mlp(num_keypoints * DECODED, OUTPUTS)

    def forward(self, nodes: Tensor) -> Tensor:
        """B×K×(2 + C) -> B×128."""
        nodes = nodes.float()
        latent = self.node(torch.cat([nodes[..., 2:], self.place(nodes[..., :2])], dim=-1))
        K = latent.shape[1]
        sender = latent[:, None].expand(-1, K, -1, -1)
        receiver = latent[:, :, None].expand(-1, -1, K, -1)
        received = self.message(torch.cat([sender, receiver], dim=-1)).sum(dim=2)
        decoded = self.decode(self.update(torch.cat([latent, received], dim=-1)))
        joined: Tensor = self.join(decoded.flatten(1))
        return joined


class ConvEncoder(nn.Module):
    """Four convolutions of 32 channels."""

    outputs = OUTPUTS

    def __init__(self, channels: int, masked: Callable[[Tensor], Tensor]) -> None:
        """``masked``: from B×... observations to B×C×21×21 features; not trained."""
        super().__init__()
        self._masked = masked
        layers: list[nn.Module] = []
        for inputs, stride in ((channels, 1), (32, 1), (32, 2), (32, 1)):
            layers += [nn.Conv2d(inputs, 32, 3, stride, 1), nn.GroupNorm(1, 32), nn.ReLU()]
        self.convolutions = nn.Sequential(*layers, nn.Flatten())
        self.join = nn.Sequential(nn.Linear(32 * 11 * 11, OUTPUTS), nn.ReLU())

    def forward(self, observations: Tensor) -> Tensor:
        joined: Tensor = self.join(self.convolutions(self._masked(observations)))
        return joined
