"""Data plug: ACDC, the same streets in fair and in adverse weather (Sakaridis et al., ICCV 2021).

``rgb_anon/<condition>/<split>/<sequence>/<frame>_rgb_anon.png`` and, of the same place in fair
weather, ``rgb_anon/<condition>/<split>_ref/<sequence>/<frame>_ref_anon.png``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image

from ...core.config import ConfigError
from .photo_pairs import PhotoPairConf, PhotoPairs, other_index

CONDITIONS = ("fog", "night", "rain", "snow")
APART = 20  # frames, of the two photos of a negative pair
_ADVERSE, _FAIR = "_rgb_anon.png", "_ref_anon.png"


@dataclass(frozen=True)
class ACDCConf(PhotoPairConf):
    name: ClassVar[str] = "acdc"

    acdc: str = "datasets/ACDC"  # folder of the release
    conditions: tuple[str, ...] = CONDITIONS
    split: str = "train"
    rows: int = 896  # of a photo, from its top: without the bonnet of the car

    def __post_init__(self) -> None:
        if unknown := set(self.conditions) - set(CONDITIONS):
            raise ConfigError(
                f"conditions: {', '.join(sorted(unknown))}; there are {', '.join(CONDITIONS)}"
            )


class ACDCPairs(PhotoPairs):
    """Labelled pairs of ACDC; ``photos`` are not used.

    Raises FileNotFoundError when there are too few frames with a reference.
    """

    Conf = ACDCConf
    conf: ACDCConf

    def __init__(self, photos: Sequence[Path | str], conf: ACDCConf, *, seed: int) -> None:
        super().__init__(conf, seed=seed)
        self.frames: list[tuple[Path, Path]] = []  # fair, adverse
        for condition in conf.conditions:
            root = Path(conf.acdc, "rgb_anon", condition)
            for adverse in sorted((root / conf.split).glob(f"*/*{_ADVERSE}")):
                name = adverse.name.removesuffix(_ADVERSE) + _FAIR
                fair = root / f"{conf.split}_ref" / adverse.parent.name / name
                if fair.is_file():
                    self.frames.append((fair, adverse))
        # Every frame needs one that is far enough from it.
        if len(self.frames) < 2 * APART:
            raise FileNotFoundError(
                f"{conf.acdc}: found {len(self.frames)} frames with a reference in rgb_anon/"
                f"{{{','.join(conf.conditions)}}}/{conf.split}, fewer than {2 * APART}; see "
                "datasets/acdc/README.md"
            )

    def crop(self, photo: Image.Image) -> Image.Image:
        return photo.crop((0, 0, photo.width, min(photo.height, self.conf.rows)))

    def draw(self, rng: np.random.Generator, *, positive: bool) -> tuple[Path, Path]:
        number = int(rng.integers(len(self.frames)))
        other = number if positive else other_index(rng, len(self.frames), number, distance=APART)
        return self.frames[number][0], self.frames[other][1]
