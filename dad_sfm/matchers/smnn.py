"""Symmetric nearest neighbours with a ratio test in both directions; kornia's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..core.registry import Licence
from .descriptors import Described, DescriptorMatcher


@dataclass(frozen=True)
class SMNNConf:
    """
    ratio_threshold  largest quotient of the distances to the nearest and to the second nearest
    """

    ratio_threshold: float = 0.95


class SMNN(DescriptorMatcher):
    """Scores are 1 less the larger quotient: how distinct a match is, not how near."""

    Conf = SMNNConf
    licence = Licence("Apache-2.0 (kornia)")

    def __init__(self, conf: SMNNConf, *, device: str = "cpu") -> None:
        super().__init__(device)
        if not 0 < conf.ratio_threshold <= 1:
            raise ValueError(f"smnn: ratio_threshold is {conf.ratio_threshold}; give one in (0, 1]")
        self._ratio = conf.ratio_threshold
        self.identity: dict[str, Any] = {"name": "smnn"}

    def pairs(self, side0: Described, side1: Described) -> tuple[Tensor, Tensor]:
        from kornia.feature import match_smnn

        ratios, index = match_smnn(side0.unit, side1.unit, self._ratio)
        return index, 1 - ratios[:, 0]
