"""How agents see: frames through a frozen network of keypoints.

An observation is what the replay remembers of a frame: nodes of a graph are small, and made once;
masked feature maps are large, and made again of the remembered frame.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..models.keypoint_maps import bumps, pooled
from ..models.object_keypoints import ObjectKeypoints, frames_to_tensor
from .conf import AgentConf
from .encoders import ConvEncoder, GraphEncoder


class Perception(Protocol):
    """From a frame to an observation, and from observations to what a memory reads."""

    def observe(self, frame: np.ndarray) -> Tensor:
        """What is remembered of an 84×84×3 uint8 frame."""
        ...

    def encoder(self) -> nn.Module:
        """An untrained encoder of B×... observations: its ``outputs`` numbers of each."""
        ...


class GraphPerception:
    """K×(2 + C) nodes: a keypoint's place, and the mean feature around it."""

    def __init__(
        self, network: ObjectKeypoints, conf: AgentConf, device: torch.device | str = "cpu"
    ) -> None:
        self.network, self.conf, self.device = network, conf, device

    @torch.no_grad()
    def observe(self, frame: np.ndarray) -> Tensor:
        points, features, _ = self.network.locate(frames_to_tensor(frame[None], self.device))
        H, W = features.shape[-2:]
        around = bumps(points, H=H, W=W, sigma=self.conf.sigma) >= self.conf.threshold
        return torch.cat([points, pooled(features, around)], dim=-1)[0].cpu()

    def encoder(self) -> nn.Module:
        num_keypoints = self.observe(np.zeros((84, 84, 3), dtype=np.uint8)).shape[0]
        return GraphEncoder(num_keypoints, self.network.channels)


class ConvPerception:
    """Features of the frame where keypoints are, 0 elsewhere.  The frame is remembered."""

    def __init__(
        self, network: ObjectKeypoints, conf: AgentConf, device: torch.device | str = "cpu"
    ) -> None:
        self.network, self.conf, self.device = network, conf, device

    def observe(self, frame: np.ndarray) -> Tensor:
        return torch.from_numpy(frame)

    @torch.no_grad()
    def masked(self, frames: Tensor) -> Tensor:
        """B×84×84×3 uint8 -> B×C×21×21."""
        images = frames.permute(0, 3, 1, 2).float() / 255
        points, features, _ = self.network.locate(images)
        H, W = features.shape[-2:]
        around = bumps(points, H=H, W=W, sigma=self.conf.sigma).sum(dim=1, keepdim=True)
        return F.adaptive_avg_pool2d(features * (around >= self.conf.threshold), 21)

    def encoder(self) -> nn.Module:
        return ConvEncoder(self.network.channels, self.masked)


def make_perception(
    network: ObjectKeypoints, conf: AgentConf, device: torch.device | str = "cpu"
) -> Perception:
    """The perception that a configuration names."""
    kind = GraphPerception if conf.encoder == "gnn" else ConvPerception
    return kind(network, conf, device)
