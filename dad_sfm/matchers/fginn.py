"""FGINN: a ratio test whose second neighbour is not at the same place as the first; kornia's.

Mishkin et al., "MODS: Fast and Robust Method for Two-View Matching", CVIU 2015.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ..core.registry import Licence
from .descriptors import Described, DescriptorMatcher


@dataclass(frozen=True)
class FGINNConf:
    """
    ratio_threshold  largest quotient of the distances to the nearest and to the second nearest
    min_distance_px  keypoints nearer than that to the nearest one are not the second, in pixels
                     of the original image
    """

    ratio_threshold: float = 0.85
    min_distance_px: float = 10.0


class FGINN(DescriptorMatcher):
    """With a mutual check; scores are 1 less the quotient."""

    Conf = FGINNConf
    licence = Licence("Apache-2.0 (kornia)")

    def __init__(self, conf: FGINNConf, *, device: str = "cpu") -> None:
        super().__init__(device)
        if not 0 < conf.ratio_threshold <= 1 or conf.min_distance_px < 0:
            raise ValueError("fginn: give a ratio_threshold in (0, 1] and a distance of at least 0")
        self._conf = conf
        self.identity: dict[str, Any] = {"name": "fginn"}

    def pairs(self, side0: Described, side1: Described) -> tuple[Tensor, Tensor]:
        from kornia.feature import match_fginn

        ratios, index = match_fginn(
            side0.unit,
            side1.unit,
            side0.lafs,
            side1.lafs,
            th=self._conf.ratio_threshold,
            spatial_th=self._conf.min_distance_px,
            mutual=True,
        )
        return index, 1 - ratios[:, 0]
