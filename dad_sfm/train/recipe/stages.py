"""The recipe of a DaD detector (see `plan`): stage after stage trained, then packaged."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Sequence
from pathlib import Path

from ...core.atomic import atomic_write
from ...core.config import ConfigError, to_json
from ..package import package
from ..runs import train
from .folder import RecipeFolder
from .plan import TRAINED, RecipeConf, run_conf, start

logger = logging.getLogger(__name__)


def make(
    conf: RecipeConf,
    photos: Sequence[Path | str],
    root: Path | str,
    *,
    device: str = "auto",
    minutes: float | None = None,
    watched: bool = True,
) -> list[Path]:
    """Train the stages of the recipe in the folder ``root`` and package them.

    Returns the packaged files; none of them when ``minutes`` are up before the last stage is
    trained (one step is made at least), and the same call resumes.  So it does after an interrupt
    or a kill, each stage from its last save.  Raises `ConfigError` when the folder was started with
    another recipe, and what `train` raises, among it `Interrupted`.
    """
    folder = RecipeFolder(Path(root))
    _claim(folder, conf)
    until = math.inf if minutes is None else time.monotonic() + 60 * minutes
    started = False
    for stage in TRAINED:
        steps = conf.steps_of(stage)
        if not steps or folder.step(stage) >= steps:
            continue
        left = max(0.0, until - time.monotonic()) / 60
        if started and not left:
            return []
        started = True
        logger.info("stage %s", stage)
        train(
            run_conf(conf, stage, folder),
            photos,
            folder.run(stage).root,
            start=start(conf, stage, folder),
            device=device,
            minutes=None if minutes is None else left,
            watched=watched,
        )
        if folder.step(stage) < steps:
            return []
    return [
        package(folder.run(stage).weights, folder.packaged / name)
        for stage, name in conf.packaged.items()
    ]


def _claim(folder: RecipeFolder, conf: RecipeConf) -> None:
    """Refuse, with `ConfigError`, a folder that was started with another recipe."""
    asked = json.loads(to_json(conf))
    if folder.recipe.is_file():
        started = json.loads(folder.recipe.read_text(encoding="utf-8"))
        if started != asked:
            raise ConfigError(
                f"{folder.root} was started with another recipe: {started}, not {asked}; give "
                "another folder, or resume it as it was started"
            )
        return
    with atomic_write(folder.recipe) as path:
        path.write_text(json.dumps(asked, indent=1), encoding="utf-8")
