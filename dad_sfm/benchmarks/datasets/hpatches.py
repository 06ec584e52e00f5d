"""HPatches: 116 sequences of six photos, of viewpoint (v_*) or of illumination (i_*), with the
homographies from the first photo to the others.

Balntas et al., "HPatches: A benchmark and evaluation of handcrafted and learned local
descriptors", CVPR 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...evaluation.homography_set import HomographyPair
from ...evaluation.homography_task import HomographyTask
from ...evaluation.subsets import evenly
from .base import DataError, Dataset, Source, require

NAME = "hpatches"
RELEASE = "hpatches-sequences-release"
LICENCE = "HPatches: MIT"
OTHERS = range(2, 7)  # photos that are matched with the first one


def _names(prefix: str, names: str) -> tuple[str, ...]:
    return tuple(f"{prefix}_{name}" for name in names.split())


VIEWPOINT = _names(
    "v",
    """
    abstract adam apprentices artisans astronautis azzola bark bees beyus bip bird birdwoman
    blueprint boat bricks busstop calder cartooncity charing churchill circus coffeehouse colors
    courses dirtywall dogman eastsouth feast fest gardens grace graffiti home laptop london machines
    man maskedman pomegranate posters samples soldiers strand sunseason tabletop talent tempera
    there underground vitro wall wapping war weapons woman wormhole wounded yard yuri
    """,
)
ILLUMINATION = _names(
    "i",
    """
    ajuntament autannes bologna books boutique bridger brooklyn castle chestnuts contruction
    crownday crownnight dc dome duda fenis fog fruits gonnenberg greenhouse greentea indiana kions
    ktirio kurhaus leuven lionday lionnight londonbridge melon miniature nescafe nijmegen nuts
    objects parking partyfood pencils pinard pool porta resort salon santuario school ski smurf
    steps table tools toy troulos veggies village whitebuilding yellowtent zion
    """,
)
# Photos of more than 1600×1200, left out by Dusmanu et al., "D2-Net", CVPR 2019, and many since.
LARGE = {
    "i_contruction",
    "i_crownnight",
    "i_dc",
    "i_pencils",
    "i_whitebuilding",
    "v_artisans",
    "v_astronautis",
    "v_talent",
}


def load(source: Source) -> Dataset:
    """All 116 sequences, as in the DaD paper's code.  Raises `DataError`."""
    return _load(source, VIEWPOINT, ILLUMINATION)


def load_108(source: Source) -> Dataset:
    """The 108 sequences without the large photos.  Raises `DataError`."""
    return _load(source, *(_without_large(names) for names in (VIEWPOINT, ILLUMINATION)))


def _without_large(names: Sequence[str]) -> list[str]:
    return [name for name in names if name not in LARGE]


def _load(source: Source, viewpoint: Sequence[str], illumination: Sequence[str]) -> Dataset:
    root = source.data / RELEASE if (source.data / RELEASE).is_dir() else source.data
    photos = [f"{name}/{i}.ppm" for name in (*viewpoint, *illumination) for i in (1, *OTHERS)]
    maps = [f"{name}/H_1_{i}" for name in (*viewpoint, *illumination) for i in OTHERS]
    require(NAME, root, [*photos, *maps])
    tasks = tuple(
        HomographyTask(_pairs(root, names, source.limit), name=table)
        for table, names in (("viewpoint", viewpoint), ("illumination", illumination))
    )
    return Dataset(root, tasks, LICENCE)


def _pairs(root: Path, names: Sequence[str], limit: int | None) -> list[HomographyPair]:
    pairs = evenly([(name, i) for name in names for i in OTHERS], limit)
    return [
        HomographyPair(f"{name}/1.ppm", f"{name}/{i}.ppm", _read_map(root / name / f"H_1_{i}"))
        for name, i in pairs
    ]


def _read_map(path: Path) -> np.ndarray:
    """The 3×3 homography of a file; the pixel-index frame is the data set's own."""
    try:
        found = np.loadtxt(path, ndmin=2)
    except ValueError as error:
        raise DataError(f"{path}: not a 3×3 homography ({error})") from error
    if found.shape != (3, 3):
        raise DataError(f"{path}: not a 3×3 homography, but {found.shape[0]}×{found.shape[1]}")
    return found
