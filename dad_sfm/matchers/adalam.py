"""AdaLAM: nearest neighbours that agree with an affinity in their neighbourhood; kornia's.

Cavalli et al., "AdaLAM: Revisiting Handcrafted Outlier Detection", ECCV 2020.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from ..core.registry import Licence
from .descriptors import Described, DescriptorMatcher


@dataclass(frozen=True)
class AdaLAMConf:
    """Options of `AdaLAM`, with its authors' names.

    area_ratio        area of the image in areas of a seed's circle: more means smaller circles
    search_expansion  radius in which the matches around a seed are collected, in circles
    ransac_iters      trials per seed
    min_inliers, min_confidence  of a neighbourhood that is kept
    orientation_difference_threshold, scale_rate_threshold
                      how far the turn (in degrees) and the change of scale of a match may be from
                      its seed's; without effect on keypoints that have neither
    refit             fit again to the inliers
    force_seed_mnn    seeds are mutual nearest neighbours
    """

    area_ratio: int = 100
    search_expansion: int = 4
    ransac_iters: int = 128
    min_inliers: int = 6
    min_confidence: int = 200
    orientation_difference_threshold: int | None = 30
    scale_rate_threshold: float | None = 1.5
    detected_scale_rate_threshold: int = 5
    refit: bool = True
    force_seed_mnn: bool = True


class AdaLAM(DescriptorMatcher):
    """Scores are 1 less the inverse confidence of the neighbourhood."""

    Conf = AdaLAMConf
    licence = Licence("Apache-2.0 (kornia), method BSD-3-Clause (cavalli1234/AdaLAM)")

    def __init__(self, conf: AdaLAMConf, *, device: str = "cpu") -> None:
        super().__init__(device)
        self._options: Any = {**asdict(conf), "device": self._device}
        self.identity: dict[str, Any] = {"name": "adalam"}

    def pairs(self, side0: Described, side1: Described) -> tuple[Tensor, Tensor]:
        from kornia.feature import match_adalam

        distances, index = match_adalam(
            side0.unit,
            side1.unit,
            side0.lafs,
            side1.lafs,
            config=self._options,
            hw1=side0.features.image_size[::-1],
            hw2=side1.features.image_size[::-1],
        )
        return index, 1 - distances[:, 0]
