"""New photos in the model of an earlier reconstruction: all steps, made as they were there."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import extract_features, localization, match_features
from ..colmap.absolute_pose import guessed_camera
from ..colmap.model import read_model
from ..core import config
from ..core.config import ConfigError
from ..geometry.cameras import Camera, CameraModel
from ..io.image_header import read_header
from ..io.listed_cameras import listed_cameras
from ..io.output import Output
from ..io.pairs_file import write_pairs
from ..io.store import FeatureReader
from ..retrieval.image_vectors import Vlad, VladConf
from ..retrieval.top_k import top_k_among
from .conf import ReconstructionConf

logger = logging.getLogger(__name__)

RESULTS = "results.txt"


def localize(
    reconstruction: Path | str,
    query_dir: Path | str,
    out: Path | str,
    *,
    queries: Path | str | None = None,
    num_matched: int = 20,
    pose: Mapping[str, Any] | None = None,
    device: str = "auto",
    overwrite: bool = False,
) -> Path:
    """Localise photos in the largest model of an output folder of `reconstruct`.

    reconstruction  that folder
    query_dir       the new photos
    out             folder of their features, pairs and matches, of ``results.txt`` and its log;
                    see `localization.main`
    queries         list with intrinsics (hloc's ``*_with_intrinsics.txt``); without it, all photos
                    of the folder, each with the camera of the model's photos of its size, or with
                    one whose focal length is found with the pose
    num_matched     images of the model that each query is matched with: the most similar ones
    pose            see `AbsolutePoseConf`

    Returns the path of the results.  Raises what the steps raise, and FileNotFoundError where
    there is no reconstruction.
    """
    reference, files = Output(Path(reconstruction)), Output(Path(out))
    conf = _configuration(reference)
    folder = reference.sparse / "0"
    model = read_model(folder)
    listed = listed_cameras(queries, for_all=True) if queries is not None else None
    files.root.mkdir(parents=True, exist_ok=True)
    extract_features.main(
        config.to_dict(conf.features),
        query_dir,
        image_list=None if listed is None else list(listed),
        feature_path=files.features,
        overwrite=overwrite,
        device=device,
    )
    with FeatureReader(files.features) as reader:
        names = [n for n in reader.names() if listed is None or n in listed]
    pairs = _most_similar(files.features, names, reference.features, model, num_matched)
    write_pairs(files.pairs, pairs)
    match_features.main(
        config.to_dict(conf.matcher),
        pairs,
        files.features,
        matches=files.matches,
        features_ref=reference.features,
        overwrite=overwrite,
        image_dir=query_dir,
        device=device,
    )
    cameras, guessed = (listed, set()) if listed is not None else _cameras(query_dir, names, model)
    return localization.main(
        folder,
        {name: cameras[name] for name in names},
        pairs,
        files.features,
        files.matches,
        files.root / RESULTS,
        conf=pose,
        guessed=guessed,
        seed=conf.seed,
    )


def _configuration(reference: Output) -> ReconstructionConf:
    if not reference.report.is_file():
        raise FileNotFoundError(
            f"no reconstruction in {reference.root} ({reference.report.name} is missing); run "
            "reconstruct first"
        )
    report = json.loads(reference.report.read_text(encoding="utf-8"))
    try:
        return ReconstructionConf.make(report["configuration"])
    except KeyError as error:
        raise ConfigError(f"{reference.report}: no {error}") from error


def _most_similar(
    features: Path, names: Sequence[str], reference: Path, model: CameraModel, num_matched: int
) -> list[tuple[str, str]]:
    """Each query with the images of the model that look most like it, or with all of a few."""
    images = sorted(model.images)
    if len(images) <= num_matched:
        return [(name, other) for name in names for other in images]
    codebook = Vlad(reference, images, VladConf())
    similar = top_k_among(
        codebook.vectors(features, names), codebook.vectors(reference, images), num_matched
    )
    return [(names[i], images[j]) for i, others in similar for j in others]


def _cameras(
    query_dir: Path | str, names: Sequence[str], model: CameraModel
) -> tuple[dict[str, Camera], set[str]]:
    """The camera of each query, and the queries whose camera is a guess."""
    by_size: dict[tuple[int, int], set[Camera]] = defaultdict(set)
    for image in model.images.values():
        camera = model.cameras[image.camera_id]
        by_size[camera.width, camera.height].add(camera)
    cameras, guessed = {}, set()
    for name in names:
        size = read_header(Path(query_dir) / name).size
        if len(by_size[size]) == 1:
            (cameras[name],) = by_size[size]
        else:
            cameras[name] = guessed_camera(size)
            guessed.add(name)
    if guessed:
        logger.info("%d of %d queries: the focal length is unknown", len(guessed), len(names))
    return cameras, guessed
