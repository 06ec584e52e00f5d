"""What a run has before it, read and checked before the first network runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..colmap.camera_groups import camera_groups
from ..colmap.model import read_model
from ..colmap.rigs import apart_by_rig, rig_prefixes
from ..core.config import ConfigError
from ..geometry.cameras import Camera
from ..io.image_header import Header, read_header
from ..io.images import ImageError
from ..io.listed_cameras import listed_cameras
from ..io.listing import Listing, natural_order, select_images
from ..io.pairs_file import Pair, PairsError, read_pairs
from ..io.scenes import Scene
from ..io.store import FeatureReader, MatchReader
from .conf import CamerasConf


@dataclass(frozen=True)
class GivenFiles:
    """Files of any tool that writes hloc's formats, instead of the steps that make them.

    pairs     a pairs file, instead of a strategy
    features  a feature file, instead of extraction; its names are relative to the image folder
    matches   a match file of these features, instead of matching
    """

    pairs: Path | None = None
    features: Path | None = None
    matches: Path | None = None

    def __post_init__(self) -> None:
        if self.matches is not None and self.features is None:
            raise ConfigError("a match file belongs to a feature file: give both")


@dataclass(frozen=True)
class Survey:
    """The images of a run.

    listing  the photos, what is unfit among them, and what is ignored
    names    the images to pair: photos, of a given feature file those that it holds
    gone     images of the feature file whose photo is not there any more
    pairs    those of a given pairs or match file; None where a strategy chooses
    cameras  known intrinsics by name of an image or folder: of the image list, and of the list
             of intrinsics
    """

    listing: Listing
    names: list[str]
    gone: list[str]
    pairs: list[Pair] | None
    cameras: dict[str, Camera]


def survey(
    place: Scene,
    features: Path | None,
    cameras: CamerasConf,
    given: GivenFiles,
    image_list: Path | str | Iterable[str] | None = None,
) -> Survey:
    """Read the headers of all photos, the ground truth, and the files that are given.

    features  the feature file, given or of an earlier run, if there is one

    Raises `FileNotFoundError` for what is not there, `CameraError` when photos cannot share
    cameras as asked, `ModelError` for a ground truth, `PairsError` and `StoreError` for files that
    cannot be read or do not fit.
    """
    if place.gt is not None:
        read_model(place.gt)
    listing = select_images(place.image_dir, image_list)
    headers = {name: _header(place.image_dir / name) for name in listing.names}
    readable = {name: header for name, header in headers.items() if header is not None}
    known = listed_cameras(image_list) if isinstance(image_list, (str, Path)) else {}
    if cameras.intrinsics is not None:
        known |= listed_cameras(cameras.intrinsics, for_all=True)
    groups = camera_groups(
        readable, cameras.mode, model=cameras.model, params=cameras.params, known=known
    )
    if cameras.rigs is not None:
        apart_by_rig(groups, rig_prefixes(cameras.rigs))
    names, gone = listing.names, []
    if features is not None and (features.is_file() or given.features is not None):
        with FeatureReader(features) as reader:
            held = reader.names()
        gone = [n for n in held if not (place.image_dir / n).is_file()]
        if given.features is not None:
            names = sorted(set(held).intersection(names))
    names = sorted(names, key=natural_order)
    pairs = _given_pairs(given, names)
    if pairs is not None:
        _check_pairs(pairs, place, given)
    return Survey(listing, names, gone, pairs, known)


def _header(path: Path) -> Header | None:
    try:
        return read_header(path)
    except ImageError:  # which extraction says again, and records
        return None


def _given_pairs(given: GivenFiles, names: list[str]) -> list[Pair] | None:
    if given.pairs is not None:
        return read_pairs(given.pairs)
    if given.matches is None:
        return None
    with MatchReader(given.matches) as reader:
        return reader.pairs(names)


def _check_pairs(pairs: list[Pair], place: Scene, given: GivenFiles) -> None:
    source = given.pairs or given.matches
    if not pairs:
        raise PairsError(f"{source}: no pair of the images under {place.image_dir}")
    named = {name for pair in pairs for name in pair}
    missing = sorted(n for n in named if not (place.image_dir / n).is_file())
    if missing:
        raise PairsError(
            f"{source} names {len(missing)} images that are not under {place.image_dir}, "
            f"first: {missing[0]}"
        )
