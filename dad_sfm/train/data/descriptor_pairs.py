"""Data plug: pairs of views around described points of photos.

Both views are of one photo, through homographies of their own, or, with ``places``, of two photos
of one place.  A step's batch depends on the seed and the step alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ...geometry import homography
from .batch import DataConf
from .bounded_cache import BoundedCache
from .degradation import Degradation
from .described_batch import DescribedBatch
from .described_photos import TeacherConf, describe_photos
from .homography_pairs import photo_files
from .place_pairs import PlaceConf, PlacePair, place_pairs
from .point_views import PointViewConf, level_for, pyramid, random_pair, warp

_BORDER_PX = 6  # points nearer to the edge of a view are left out


@dataclass(frozen=True)
class DescriptorPairsConf(DataConf):
    """How pairs of views are made.

    batch         pairs per step
    points        maximum number per pair
    least         a pair that shares fewer is drawn again
    noise_px      spread of the points around their true places, in each view: keypoints are never
                  found in quite the same place
    described     folder that keeps the photos with the teacher's descriptors
    places        folders of photos of one place each
    place_share   share of the pairs that are of two photos of one place
    """

    name: ClassVar[str] = "described"

    batch: int = 4
    points: int = 400
    least: int = 40
    noise_px: float = 0.5
    described: str = "datasets/described"
    places: tuple[str, ...] = ()
    place_share: float = 0.3
    teacher: TeacherConf = field(default_factory=TeacherConf)
    place: PlaceConf = field(default_factory=PlaceConf)
    views: PointViewConf = field(default_factory=PointViewConf)
    degradation: Degradation = field(default_factory=Degradation)


@dataclass(frozen=True)
class _PairOfViews:
    """Pixels to warp, two photo_from_view homographies, and points in both views."""

    pixels: list[Tensor]
    levels: list[int]
    photo_from_view: list[np.ndarray]
    points: list[np.ndarray]
    teacher: np.ndarray


@dataclass(frozen=True)
class DescribedSource:
    """The ingredients of a `DescribedBatch`."""

    pairs: Sequence[_PairOfViews]
    seed: int
    conf: DescriptorPairsConf

    def to(self, device: torch.device) -> DescribedBatch:
        size = self.conf.size
        views = [
            warp(
                pair.pixels[side].to(device, non_blocking=True),
                pair.levels[side],
                torch.from_numpy(pair.photo_from_view[side]).float(),
                size,
            )
            for side in (0, 1)
            for pair in self.pairs
        ]
        points = [torch.from_numpy(p.points[side]).float() for side in (0, 1) for p in self.pairs]
        teacher = pad_sequence([torch.from_numpy(p.teacher).float() for p in self.pairs], True)
        counts = torch.tensor([len(p.teacher) for p in self.pairs])
        return DescribedBatch(
            images=self.conf.degradation(torch.stack(views), seed=self.seed),
            points=pad_sequence(points, True).to(device),
            valid=(torch.arange(teacher.shape[1]) < counts[:, None]).to(device),
            teacher=teacher.to(device),
        )


class DescriptorPairs:
    """Batches of pairs of views of the given photos, or folders of photos.

    Photos that have not been described yet are described first.  Raises FileNotFoundError when
    there are none, and what `describe_photos` and `place_pairs` do.
    """

    Conf = DescriptorPairsConf
    needs_photos = True

    def __init__(
        self, photos: Sequence[Path | str], conf: DescriptorPairsConf, *, seed: int
    ) -> None:
        self.conf, self.seed = conf, seed
        self.photos = describe_photos(photo_files(photos), conf.described, conf.teacher)
        places = [
            describe_photos(photo_files([folder]), conf.described, conf.teacher)
            for folder in conf.places
        ]
        self.places: list[PlacePair] = place_pairs(places, conf.place) if places else []
        self._photo = BoundedCache(_read_photo)

    def batch(self, step: int) -> DescribedSource:
        rng = np.random.default_rng((self.seed, step))
        pairs: list[_PairOfViews] = []
        while len(pairs) < self.conf.batch:
            if (pair := self._pair(rng)) is not None:
                pairs.append(pair)
        return DescribedSource(pairs, int(rng.integers(2**62)), self.conf)

    def _pair(self, rng: np.random.Generator) -> _PairOfViews | None:
        """A random pair; None where its views share too few points."""
        if self.places and rng.random() < self.conf.place_share:
            place = self.places[int(rng.integers(len(self.places)))]
            order = rng.permutation(2)
            photos = [self._photo(place.files[side]) for side in order]
            rows = [place.rows[:, side] for side in order]
            # What the teacher says in both photos; the objective cares for directions alone.
            first, second = (p["teacher"][r] for p, r in zip(photos, rows, strict=True))
            teacher = first + second
        else:
            photo = self._photo(self.photos[int(rng.integers(len(self.photos)))])
            photos, rows = [photo] * 2, [np.arange(len(photo["points"]))] * 2
            teacher = photo["teacher"]
        places_px = [p["points"][r].astype(np.float64) for p, r in zip(photos, rows, strict=True)]
        return self._views(rng, photos, places_px, teacher)

    def _views(
        self,
        rng: np.random.Generator,
        photos: Sequence[Mapping[str, np.ndarray]],
        places_px: Sequence[np.ndarray],
        teacher: np.ndarray,
    ) -> _PairOfViews | None:
        conf, size = self.conf, self.conf.size
        middle = int(rng.integers(len(teacher)))
        homographies = random_pair(
            rng,
            conf.views,
            [places[middle] for places in places_px],
            short_side=min(photos[0]["level_0"].shape[-2:]),
            size=size,
        )
        in_views = [
            homography.apply(np.linalg.inv(h), places)
            for h, places in zip(homographies, places_px, strict=True)
        ]
        inside = [((p > _BORDER_PX) & (p < size - 1 - _BORDER_PX)).all(axis=1) for p in in_views]
        seen = rng.permutation(np.flatnonzero(inside[0] & inside[1]))[: conf.points]
        if len(seen) < conf.least:
            return None
        points = [p[seen] + rng.normal(0, conf.noise_px, (len(seen), 2)) for p in in_views]
        pyramids = [[photo[f"level_{i}"] for i in range(_levels(photo))] for photo in photos]
        levels = [level_for(h, len(each)) for h, each in zip(homographies, pyramids, strict=True)]
        pixels = [torch.from_numpy(p[level]) for p, level in zip(pyramids, levels, strict=True)]
        return _PairOfViews(pixels, levels, homographies, points, teacher[seen])


def _levels(photo: Mapping[str, np.ndarray]) -> int:
    return sum(name.startswith("level_") for name in photo)


def _read_photo(path: Path) -> dict[str, np.ndarray]:
    """A described photo and its pyramid."""
    with np.load(path) as photo:
        arrays = {name: photo[name] for name in ("points", "teacher")}
        levels = pyramid(photo["rgb"])
    return arrays | {f"level_{i}": level.numpy() for i, level in enumerate(levels)}
