"""Photos in, a reconstruction and a report out: the five steps in order.

The output folder holds ``features.h5``, ``pairs.txt``, ``matches.h5``, ``database.db``,
``sparse/0`` (the largest model), ``report.json``, ``report.html`` and ``log.txt``.  A run that was
cut off goes on when it is called again: features and matches that are there are kept.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from . import database, extract_features, match_features, pairs, reconstruction
from .colmap.cameras import CameraMode
from .core.config import ConfigError
from .core.run_log import run_log
from .io.output import Output
from .io.scenes import Scene, find_scene
from .io.store import StoreError
from .reconstruction import ReconstructionError
from .report import Failure, Report, build_report, summary_lines
from .report.page import write_page

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Plan:
    """All that decides what comes out."""

    features: dict[str, Any]
    matcher: dict[str, Any]
    pairing: dict[str, Any]
    camera_mode: CameraMode
    camera_model: str
    verification: dict[str, Any]
    mapper: dict[str, Any]
    refine_principal_point: bool
    seed: int


def reconstruct(
    scene: Path | str,
    out: Path | str,
    *,
    features: str | Mapping[str, Any] = "dad-nano+rootsift",
    matcher: str | Mapping[str, Any] = "NN-mutual",
    pairing: str | Mapping[str, Any] = "exhaustive",
    resize_max: int | None = None,
    max_keypoints: int | None = None,
    camera_mode: CameraMode = "auto",
    camera_model: str = "SIMPLE_RADIAL",
    verification: Mapping[str, Any] | None = None,
    mapper: Mapping[str, Any] | None = None,
    refine_principal_point: bool = True,
    seed: int = 0,
    device: str = "auto",
    num_threads: int | None = None,
    overwrite: bool = False,
) -> Report:
    """Reconstruct a scene into the folder ``out``; returns the report that is also written there.

    scene          a folder of images, a folder that holds ``images/`` (and perhaps ``gt/``), or
                   the name of a data set
    features       a preset of `extract_features.confs`, or a changed copy of one
    matcher        a preset of `match_features.confs`, or a changed copy of one
    pairing        a strategy of `pairs.main`, or a dict of its options:
                   ``{"strategy": "sequential", "overlap": 5}``
    resize_max     long side at which features are extracted, instead of the preset's
    max_keypoints  budget of keypoints an image, instead of the preset's
    camera_mode, camera_model, verification   see `database.main`
    mapper         options of COLMAP's mapper, and ``refine_principal_point``: see
                   `reconstruction.main`
    device         "auto", "cpu", "cuda" or "mps", for features and matches
    num_threads    of COLMAP; all by default.  With 1 a run repeats bit for bit
    overwrite      extract and match anew, where an earlier run had other options

    Raises what the steps raise.  A run that fails after it began leaves a report with the reason;
    a scene that cannot be reconstructed ends in `ReconstructionError`.  Options that do not fit
    the features or matches of an earlier run raise `StoreError`, and its results stay.
    """
    place, files = find_scene(scene), Output(Path(out))
    plan = _Plan(
        features=_features_conf(features, resize_max, max_keypoints),
        matcher=_preset("matcher", matcher, match_features.confs),
        pairing={"strategy": pairing} if isinstance(pairing, str) else dict(pairing),
        camera_mode=camera_mode,
        camera_model=camera_model,
        verification=dict(verification or {}),
        mapper=dict(mapper or {}),
        refine_principal_point=refine_principal_point,
        seed=seed,
    )
    files.root.mkdir(parents=True, exist_ok=True)
    clock = _Clock()
    with run_log(files.log):
        stale = True  # results of an earlier run stay until this one has got past the files
        try:
            _features_and_matches(place, files, plan, clock, device, overwrite)
            files.remove_results()
            stale = False
            _model(place, files, plan, clock, num_threads)
        except StoreError:
            raise
        except Exception as error:
            if stale:
                files.remove_results()
            _report(place, files, plan, clock, _failure(error))
            raise
        return _report(place, files, plan, clock, None)


def _features_and_matches(
    place: Scene, files: Output, plan: _Plan, clock: _Clock, device: str, overwrite: bool
) -> None:
    with clock.stage("features"):
        extract_features.main(
            plan.features,
            place.image_dir,
            feature_path=files.features,
            overwrite=overwrite,
            device=device,
        )
    with clock.stage("pairs"):
        pairs.main(files.pairs, features=files.features, **plan.pairing)
    with clock.stage("matches"):
        match_features.main(
            plan.matcher,
            files.pairs,
            files.features,
            matches=files.matches,
            overwrite=overwrite,
            image_dir=place.image_dir,
            device=device,
        )


def _model(
    place: Scene, files: Output, plan: _Plan, clock: _Clock, num_threads: int | None
) -> None:
    with clock.stage("database"):
        database.main(
            files.database,
            place.image_dir,
            files.features,
            files.pairs,
            files.matches,
            camera_mode=plan.camera_mode,
            camera_model=plan.camera_model,
            verification=plan.verification,
            seed=plan.seed,
            num_threads=num_threads,
        )
    with clock.stage("reconstruction"):
        reconstruction.main(
            files.sparse,
            files.database,
            place.image_dir,
            options=plan.mapper,
            refine_principal_point=plan.refine_principal_point,
            seed=plan.seed,
            num_threads=num_threads,
        )


def _report(
    place: Scene, files: Output, plan: _Plan, clock: _Clock, failure: Failure | None
) -> Report:
    report = build_report(
        files.root,
        scene=place.name,
        image_dir=place.image_dir,
        gt=place.gt,
        failure=failure,
        seconds=clock.seconds,
        configuration=asdict(plan),
        seeds={"verification": plan.seed, "mapper": plan.seed},
    )
    report.write(files.report)
    write_page(report, files.root)
    for line in summary_lines(report):
        logger.debug("%s", line)
    return report


def _failure(error: Exception) -> Failure:
    reason = error.reason if isinstance(error, ReconstructionError) else type(error).__name__
    return Failure(reason, str(error))


def _preset(
    kind: str, chosen: str | Mapping[str, Any], presets: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    if not isinstance(chosen, str):
        return dict(chosen)
    if chosen not in presets:
        raise ConfigError(f"unknown {kind} {chosen!r}; there are: {', '.join(sorted(presets))}")
    return dict(presets[chosen])


def _features_conf(
    chosen: str | Mapping[str, Any], resize_max: int | None, max_keypoints: int | None
) -> dict[str, Any]:
    conf = _preset("features", chosen, extract_features.confs)
    if resize_max is not None:
        conf["preprocessing"] = {**conf.get("preprocessing", {}), "resize_max": resize_max}
    if max_keypoints is not None:
        conf["model"] = {**conf["model"], "max_keypoints": max_keypoints}
    return conf


class _Clock:
    """Seconds of each stage."""

    def __init__(self) -> None:
        self._start = perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        logger.info("%s ...", name)
        start = perf_counter()
        try:
            yield
        finally:
            self._stages[name] = round(perf_counter() - start, 3)

    @property
    def seconds(self) -> dict[str, float]:
        return {**self._stages, "total": round(perf_counter() - self._start, 3)}
