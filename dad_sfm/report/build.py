"""Build a report from the files of an output folder, however far the run came."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..colmap.model import from_pycolmap, read_model
from ..colmap.view_graph import ViewGraph, read_view_graph
from ..core.versions import versions
from ..evaluation.poses import AbsoluteErrors, absolute_errors, auc, pair_errors_deg
from ..geometry.cameras import CameraModel
from ..io.output import Output
from ..io.pairs_file import read_origins, unordered
from ..io.store import FeatureReader, MatchReader
from .document import (
    Failure,
    ImageReport,
    ModelReport,
    PairReport,
    Report,
    Spread,
    Status,
    TruthReport,
)
from .unregistered import Explainer

logger = logging.getLogger(__name__)

AUC_THRESHOLDS_DEG = (1, 3, 5)


def build_report(
    out: Path | str | Output,
    *,
    scene: str,
    image_dir: Path | str,
    gt: Path | str | None = None,
    failure: Failure | None = None,
    seconds: Mapping[str, float] | None = None,
    configuration: Mapping[str, Any] | None = None,
    seeds: Mapping[str, int] | None = None,
    names: Collection[str] | None = None,
) -> Report:
    """Read what is in the folder ``out`` and compare it with the model in the folder ``gt``.

    names  the images that the run was about; all of the feature file by default
    """
    files = Output.of(out)
    counts, failed = _read_features(files.features)
    if names is not None:
        counts = {n: count for n, count in counts.items() if n in names}
    graph = _read_graph(files.database, counts)
    models = _read_models(files)
    poses = [from_pycolmap(m) for m in models]
    truth = read_model(gt) if gt is not None else None
    errors = _absolute(poses[0], truth) if poses and truth else None
    images = _images(graph, models, poses, errors)
    origins = read_origins(files.pairs)
    return Report(
        scene=scene,
        image_dir=str(image_dir),
        status=_status(images, failed, models),
        failure=failure,
        seconds=dict(seconds or {}),
        configuration=dict(configuration or {}),
        seeds=dict(seeds or {}),
        versions=versions(),
        images=images,
        failed_images=failed,
        failed_pairs=_read_failed_pairs(files.matches),
        keypoints=_spread(graph.keypoints.values()),
        pairs=[
            PairReport(pair, count, graph.inliers.get(pair, 0), origins.get(unordered(pair)))
            for pair, count in sorted(graph.matches.items())
        ],
        components=graph.components(),
        models=[_model(number, model) for number, model in enumerate(models)],
        ground_truth=_truth(poses, truth, errors) if truth else None,
    )


def failure_report(
    *,
    scene: str,
    image_dir: Path | str,
    failure: Failure,
    seconds: Mapping[str, float],
    configuration: Mapping[str, Any],
    seeds: Mapping[str, int],
) -> Report:
    """The report of a run of whose files none can be read."""
    return Report(
        scene=scene,
        image_dir=str(image_dir),
        status="failed",
        failure=failure,
        seconds=dict(seconds),
        configuration=dict(configuration),
        seeds=dict(seeds),
        versions=versions(),
        images=[],
        failed_images={},
        failed_pairs={},
        keypoints=None,
        pairs=[],
        components=[],
        models=[],
        ground_truth=None,
    )


def _read_features(path: Path) -> tuple[dict[str, int], dict[str, str]]:
    """Keypoints by image, and images that could not be used with the reason."""
    if not path.is_file():
        return {}, {}
    with FeatureReader(path) as reader:
        names = reader.names()
        return {n: len(reader.read(n, descriptors=False)) for n in names}, reader.failures


def _read_failed_pairs(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    with MatchReader(path) as reader:
        return reader.failures


def _read_graph(path: Path, keypoints: dict[str, int]) -> ViewGraph:
    if not path.is_file():
        return ViewGraph(keypoints, {}, {})
    graph = read_view_graph(path)
    return ViewGraph({**keypoints, **graph.keypoints}, graph.matches, graph.inliers)


def _read_models(files: Output) -> list[Any]:
    import pycolmap

    return [pycolmap.Reconstruction(str(folder)) for folder in files.models()]


def _status(images: list[ImageReport], failed: Mapping[str, str], models: list[Any]) -> Status:
    if not models:
        return "failed"
    return "complete" if not failed and all(i.model == 0 for i in images) else "partial"


def _images(
    graph: ViewGraph, models: list[Any], poses: list[CameraModel], errors: AbsoluteErrors | None
) -> list[ImageReport]:
    explainer = Explainer(graph, graph.components(), poses)
    rows = {name: row for row, name in enumerate(errors.names)} if errors else {}
    found = []
    for name, keypoints in sorted(graph.keypoints.items()):
        number = next((k for k, model in enumerate(poses) if name in model.images), None)
        points = None if number is None else _points(models[number], name)
        image = ImageReport(name, keypoints, number, points)
        if number != 0:
            reason, sentence = explainer.explain(name)
            image = replace(image, unregistered=reason, explanation=sentence)
        elif errors and name in rows:
            image = replace(
                image,
                position_error=float(errors.position[rows[name]]),
                rotation_error_deg=float(errors.rotation_deg[rows[name]]),
            )
        found.append(image)
    return found


def _points(model: Any, name: str) -> int:
    return int(model.find_image_with_name(name).num_points3D)


def _model(number: int, model: Any) -> ModelReport:
    cameras = [
        {
            "model": camera.model.name,
            "width": int(camera.width),
            "height": int(camera.height),
            "params": [float(p) for p in camera.params],
        }
        for _, camera in sorted(model.cameras.items())
    ]
    return ModelReport(
        number=number,
        images=int(model.num_reg_images()),
        points=int(model.num_points3D()),
        observations=int(model.compute_num_observations()),
        mean_track_length=float(model.compute_mean_track_length()),
        mean_reprojection_error_px=float(model.compute_mean_reprojection_error()),
        cameras=cameras,
    )


def _absolute(model: CameraModel, gt: CameraModel) -> AbsoluteErrors | None:
    try:
        return absolute_errors(model, gt)
    except ValueError as error:
        logger.warning("no comparison with the true poses: %s", error)
        return None


def _truth(poses: list[CameraModel], gt: CameraModel, errors: AbsoluteErrors | None) -> TruthReport:
    model = poses[0] if poses else CameraModel({}, {})
    areas = auc(pair_errors_deg(model, gt), AUC_THRESHOLDS_DEG)
    return TruthReport(
        images=len(gt.images),
        registered=len(model.images.keys() & gt.images.keys()),
        position_error=_spread(errors.position) if errors else None,
        rotation_error_deg=_spread(errors.rotation_deg) if errors else None,
        pose_auc={str(t): 100 * a for t, a in zip(AUC_THRESHOLDS_DEG, areas, strict=True)},
    )


def _spread(values: Iterable[float]) -> Spread | None:
    found = np.array(list(values), dtype=np.float64)
    if not len(found):
        return None
    numbers = found.mean(), np.median(found), found.min(), found.max()
    return Spread(*(float(v) for v in numbers))
