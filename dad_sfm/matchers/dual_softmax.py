"""Dual softmax: the probability that two keypoints choose each other.

Rocco et al., "Neighbourhood Consensus Networks", 2018; as DeDoDe and LoFTR use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..core.registry import Licence
from .descriptors import Described, DescriptorMatcher


@dataclass(frozen=True)
class DualSoftmaxConf:
    """
    inverse_temperature  factor of the cosine similarities before the softmax
    threshold            least probability of a match
    """

    inverse_temperature: float = 20.0
    threshold: float = 0.01


class DualSoftmax(DescriptorMatcher):
    """Mutual maxima of P = softmax over rows × softmax over columns; the score is P."""

    Conf = DualSoftmaxConf
    licence = Licence("MIT (dad_sfm)")

    def __init__(self, conf: DualSoftmaxConf, *, device: str = "cpu") -> None:
        super().__init__(device)
        if conf.inverse_temperature <= 0 or not 0 <= conf.threshold < 1:
            raise ValueError(
                "dual_softmax: give a positive inverse_temperature, and a threshold of at least 0 "
                "and less than 1"
            )
        self._conf = conf
        self.identity: dict[str, Any] = {"name": "dual_softmax"}

    def pairs(self, side0: Described, side1: Described) -> tuple[Tensor, Tensor]:
        logits = self._conf.inverse_temperature * side0.unit @ side1.unit.T
        probability = logits.softmax(dim=1).mul_(logits.softmax(dim=0))
        score, there = probability.max(dim=1)
        back = probability.argmax(dim=0)
        rows = torch.arange(len(there), device=there.device)
        kept = (back[there] == rows) & (score > self._conf.threshold)
        return torch.stack([rows[kept], there[kept]], dim=-1), score[kept]
