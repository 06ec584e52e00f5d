"""Photos in, a reconstruction and a report out: the five steps in order.

The output folder holds ``features.h5``, ``pairs.txt``, ``matches.h5``, ``database.db``,
``sparse/0`` (the largest model), ``images`` (the photos), ``report.json``, ``report.html`` and
``log.txt``.  A run that was cut off resumes when it is called again: features and matches that are
there are kept.  Results take the place of earlier ones when the run has succeeded, and only of
those that a report of ours claims, see `dad_sfm.io.ownership`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import match_features
from ..core.config import ConfigError
from ..core.device import choose_device
from ..core.run_log import run_log
from ..execution.engines import check_engine
from ..io.ownership import Claim, ImagesBeside
from ..io.scenes import find_scene
from ..reconstruction import ReconstructionError
from ..report import Failure, Report
from .clock import Clock
from .conf import ReconstructionConf
from .steps import Run
from .survey import GivenFiles


def reconstruct(
    scene: Path | str,
    out: Path | str,
    conf: ReconstructionConf | None = None,
    *,
    changes: Mapping[str, Any] | None = None,
    image_list: Path | str | Iterable[str] | None = None,
    given: GivenFiles | None = None,
    images: ImagesBeside = "link",
    device: str = "auto",
    workers: int | None = None,
    engine: str = "local",
    num_threads: int | None = None,
    overwrite: bool = False,
    colmap_hours: float = 48.0,
    **parts: Any,
) -> Report:
    """Reconstruct a scene into the folder ``out``; returns the report that is also written there.

    scene        a folder of images, a folder that holds ``images/`` (and perhaps ``gt/``), or the
                 name of a data set
    conf         what decides the result; or give its ``parts`` by name, as
                 `ReconstructionConf.make` takes them: ``features="sift", pairing="sequential"``
    changes      other values for some fields: ``{"features.model.max_keypoints": 4096}``
    image_list   only these photos: names, or a list file
    given        files of any tool instead of the steps that make them
    images       what ``images`` beside the model is: "link" to the photos, "copy" of them, "none"
    device       "auto", "cpu", "cuda", "cuda:1" or "mps", for features and matches
    workers      threads for features and matches; see the steps
    engine       of features and matches: "local", or "ray" for a cluster
    num_threads  of COLMAP; all by default.  With 1 a run repeats bit for bit
    overwrite    extract and match again, where an earlier run had other options
    colmap_hours most hours that verification, and that mapping, may take

    Every option is checked before the first image is read (`ConfigError` and its kin), and all
    photos' headers, lists and files before the first network runs.  Raises `OutputError` where
    ``out`` holds files of the user's, otherwise what the steps raise.  A run that fails after it
    began leaves a report with the reason, and an earlier success as it is: the report is then
    ``report.failed.json``.  A scene that cannot be reconstructed ends in `ReconstructionError`.
    """
    if conf is not None and parts:
        raise ConfigError(f"give either conf or its parts ({', '.join(parts)}), not both")
    conf = (conf or ReconstructionConf.make(parts)).changed(changes or {})
    conf.check()
    if num_threads is not None and num_threads < 1:
        raise ConfigError(f"num_threads is {num_threads}, at least 1 is needed")
    choose_device(device)
    check_engine(engine)
    given, place = given or GivenFiles(), find_scene(scene)
    if given.features is None:
        match_features.check_features(conf.matcher, conf.features.model)
    with Claim(Path(out)) as claim, run_log(claim.files.log) as warnings:
        staged = replace(claim.staged, given_features=given.features, given_matches=given.matches)
        limit = 3600 * colmap_hours
        run = Run(
            place,
            staged,
            conf,
            given,
            Clock(),
            device,
            workers,
            engine,
            num_threads,
            overwrite,
            limit,
        )
        try:
            claim.stage_images(place.image_dir, images)
            run.go(image_list)
        except BaseException as error:
            failed = run.report(warnings, Failure(_reason(error), str(error) or "interrupted"))
            if claim.has_success:
                run.write(failed)
                claim.publish_failure()
            else:
                _publish(claim, run, failed)
            raise
        return _publish(claim, run, run.report(warnings, None))


def _publish(claim: Claim, run: Run, report: Report) -> Report:
    report = replace(report, files=claim.digests())
    run.write(report)
    claim.publish(report.files)
    return report


def _reason(error: BaseException) -> str:
    return error.reason if isinstance(error, ReconstructionError) else type(error).__name__
