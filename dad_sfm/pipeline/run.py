"""Photos in, a reconstruction and a report out: the five steps in order.

The output folder holds ``features.h5``, ``pairs.txt``, ``matches.h5``, ``database.db``,
``sparse/0`` (the largest model), ``report.json``, ``report.html`` and ``log.txt``.  A run that was
cut off resumes when it is called again: features and matches that are there are kept.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import database, extract_features, match_features, pairs, reconstruction
from ..core import config
from ..core.config import ConfigError
from ..core.device import choose_device
from ..core.run_log import run_log
from ..io.output import Output
from ..io.scenes import Scene, find_scene
from ..io.store import StoreError
from ..reconstruction import ReconstructionError
from ..report import Failure, Report, build_report, summary_lines
from ..report.page import write_page
from .clock import Clock
from .conf import ReconstructionConf

logger = logging.getLogger(__name__)


def reconstruct(
    scene: Path | str,
    out: Path | str,
    conf: ReconstructionConf | None = None,
    *,
    changes: Mapping[str, Any] | None = None,
    device: str = "auto",
    num_threads: int | None = None,
    overwrite: bool = False,
    **parts: Any,
) -> Report:
    """Reconstruct a scene into the folder ``out``; returns the report that is also written there.

    scene        a folder of images, a folder that holds ``images/`` (and perhaps ``gt/``), or the
                 name of a data set
    conf         what decides the result; or give its ``parts`` by name, as
                 `ReconstructionConf.make` takes them: ``features="sift", pairing="sequential"``
    changes      other values for some fields: ``{"features.model.max_keypoints": 4096}``
    device       "auto", "cpu", "cuda" or "mps", for features and matches
    num_threads  of COLMAP; all by default.  With 1 a run repeats bit for bit
    overwrite    extract and match anew, where an earlier run had other options

    Every option is checked before the first image is read (`ConfigError` and its kin).  Otherwise
    raises what the steps raise.  A run that fails after it began leaves a report with the reason;
    a scene that cannot be reconstructed ends in `ReconstructionError`.  Options that do not fit
    the features or matches of an earlier run raise `StoreError`, and its results stay.
    """
    if conf is not None and parts:
        raise ConfigError(f"give either conf or its parts ({', '.join(parts)}), not both")
    conf = (conf or ReconstructionConf.make(parts)).changed(changes or {})
    conf.check()
    if num_threads is not None and num_threads < 1:
        raise ConfigError(f"num_threads is {num_threads}, at least 1 is needed")
    choose_device(device)
    place, files = find_scene(scene), Output(Path(out))
    files.root.mkdir(parents=True, exist_ok=True)
    clock = Clock()
    with run_log(files.log):
        stale = True  # results of an earlier run stay until this one has got past the files
        try:
            _features_and_matches(place, files, conf, clock, device, overwrite)
            files.remove_results()
            stale = False
            _model(place, files, conf, clock, num_threads)
        except StoreError:
            raise
        except Exception as error:
            if stale:
                files.remove_results()
            _report(place, files, conf, clock, _failure(error))
            raise
        return _report(place, files, conf, clock, None)


def _features_and_matches(
    place: Scene,
    files: Output,
    conf: ReconstructionConf,
    clock: Clock,
    device: str,
    overwrite: bool,
) -> None:
    with clock.stage("features"):
        extract_features.main(
            config.to_dict(conf.features),
            place.image_dir,
            feature_path=files.features,
            overwrite=overwrite,
            device=device,
        )
    with clock.stage("pairs"):
        pairs.main(
            files.pairs,
            features=files.features,
            image_dir=place.image_dir,
            strategy=conf.pairing.strategy,
            **conf.pairing.options,
        )
    with clock.stage("matches"):
        match_features.main(
            config.to_dict(conf.matcher),
            files.pairs,
            files.features,
            matches=files.matches,
            overwrite=overwrite,
            image_dir=place.image_dir,
            device=device,
        )


def _model(
    place: Scene, files: Output, conf: ReconstructionConf, clock: Clock, num_threads: int | None
) -> None:
    with clock.stage("database"):
        database.main(
            files.database,
            place.image_dir,
            files.features,
            files.pairs,
            files.matches,
            camera_mode=conf.cameras.mode,
            camera_model=conf.cameras.model,
            camera_params=conf.cameras.params,
            verification=config.to_dict(conf.verification),
            seed=conf.seed,
            num_threads=num_threads,
        )
    with clock.stage("reconstruction"):
        reconstruction.main(
            files.sparse,
            files.database,
            place.image_dir,
            options=conf.mapping.options,
            refine_principal_point=conf.mapping.refine_principal_point,
            seed=conf.seed,
            num_threads=num_threads,
        )


def _report(
    place: Scene, files: Output, conf: ReconstructionConf, clock: Clock, failure: Failure | None
) -> Report:
    report = build_report(
        files.root,
        scene=place.name,
        image_dir=place.image_dir,
        gt=place.gt,
        failure=failure,
        seconds=clock.seconds,
        configuration=config.to_dict(conf),
        seeds={"verification": conf.seed, "mapper": conf.seed},
    )
    report.write(files.report)
    write_page(report, files.root)
    for line in summary_lines(report):
        logger.debug("%s", line)
    return report


def _failure(error: Exception) -> Failure:
    reason = error.reason if isinstance(error, ReconstructionError) else type(error).__name__
    return Failure(reason, str(error))
