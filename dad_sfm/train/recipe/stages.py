"""The recipe of a DaD detector (see `plan`), stage after stage: trained, kept, packaged.

It runs in slices of a few minutes, for machines that are lent for no longer.  Each slice ends with
a checkpoint in parts small enough to carry, and the next one, there or elsewhere, goes on from it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ...checkpoints import sha256_of
from ...config import ConfigError, build, to_json
from ..engine.interrupt import Interrupted
from ..package import package
from ..replacing import replacing
from ..runs import distil, train
from .carried import Carry
from .folder import RecipeFolder
from .photo_pack import unpack
from .plan import STAGES, TRAINED, RecipeConf, Stage, run_conf, start

_SAVING = 0.05  # share of a slice that is kept for starting and saving


@dataclass(frozen=True)
class SliceConf:
    """How long a slice lasts, and what its checkpoint holds, in files how large.

    A slice that is not ``watched`` goes on even where its policy has collapsed.
    """

    minutes: float = 8.0
    part_bytes: int = 15_000_000
    carry: Carry = "exact"
    watched: bool = True


@dataclass(frozen=True)
class Progress:
    """Where a recipe stands: slices done, the stage that is next to run, and its step."""

    slices: int = 0
    stage: Stage = "light"
    step: int = 0


def slices(
    conf: RecipeConf, root: Path | str, slicing: SliceConf | None = None, *, device: str = "auto"
) -> Iterator[Progress]:
    """Go on with the recipe in the folder ``root``, slice by slice, until it is finished.

    ``root`` holds ``photos.zip`` (see `photo_pack.pack`).  Yields where the recipe stands after
    each slice.  Raises `Interrupted` when asked to stop, once the checkpoint is kept; `PackError`
    and `PartsError` for files that are missing or damaged; `ConfigError` when the folder was begun
    with another configuration or other photos; and what `train` and `distil` raise.
    """
    folder, slicing = RecipeFolder(Path(root)), slicing or SliceConf()
    unpack(folder.photos, folder.unpacked)
    progress = _read_progress(conf, folder)
    while progress.stage != "finished":
        progress = _slice(conf, folder, slicing, progress, device)
        yield progress


def _slice(
    conf: RecipeConf, folder: RecipeFolder, slicing: SliceConf, progress: Progress, device: str
) -> Progress:
    """One slice, of one stage or several: where it ends."""
    until = time.monotonic() + 60 * slicing.minutes * (1 - _SAVING)
    progress = replace(progress, slices=progress.slices + 1)
    while True:
        stage, left = progress.stage, (until - time.monotonic()) / 60
        interrupted = _run_stage(conf, folder, slicing, stage, minutes=left, device=device)
        finished = stage not in TRAINED or folder.step(stage) >= conf.steps_of(stage)
        if finished:
            progress = replace(progress, stage=conf.after(stage), step=0)
        else:
            progress = replace(progress, step=folder.step(stage))
        _write_progress(conf, folder, progress)
        if interrupted:
            raise interrupted
        if not finished or time.monotonic() >= until or progress.stage == "finished":
            return progress


def _run_stage(
    conf: RecipeConf,
    folder: RecipeFolder,
    slicing: SliceConf,
    stage: Stage,
    *,
    minutes: float,
    device: str,
) -> Interrupted | None:
    """Go on with a stage for some minutes and keep it in parts; what has interrupted it."""
    for trained in TRAINED[: STAGES.index(stage) + 1]:
        folder.restore(trained)
    if stage == "package":
        _package(conf, folder)
        return None
    if folder.is_done(stage, conf.steps_of(stage)):
        return None  # a kill came between the last checkpoint and what says where the recipe is
    interrupted = None
    try:
        _train(conf, folder, slicing, stage, minutes=minutes, device=device)
    except Interrupted as asked:
        interrupted = asked
    finished = folder.step(stage) >= conf.steps_of(stage)
    folder.keep(stage, carry=slicing.carry, max_bytes=slicing.part_bytes, finished=finished)
    return interrupted


def _train(
    conf: RecipeConf,
    folder: RecipeFolder,
    slicing: SliceConf,
    stage: Stage,
    *,
    minutes: float,
    device: str,
) -> None:
    run, photos, run_dir = run_conf(conf, stage), [folder.unpacked], folder.run(stage).root
    given: dict[str, Any] = {
        "start": start(conf, stage, folder),
        "device": device,
        "minutes": minutes,
        "watched": slicing.watched,
    }
    if stage == "distil":
        teachers = [folder.run("light").weights, folder.run("dark").weights]
        distil(run, photos, run_dir, teachers=teachers, **given)
    else:
        train(run, photos, run_dir, **given)


def _package(conf: RecipeConf, folder: RecipeFolder) -> None:
    for stage, name in conf.packaged.items():
        package(folder.run(stage).weights, folder.packaged / name)


def _read_progress(conf: RecipeConf, folder: RecipeFolder) -> Progress:
    if not folder.state.is_file():
        return Progress()
    stored = json.loads(folder.state.read_text(encoding="utf-8"))
    for what, asked in _identity(conf, folder).items():
        if stored[what] != asked:
            raise ConfigError(
                f"{folder.root} was begun with another {what}: {stored[what]}, not {asked}; "
                "give another folder, or go on as it was begun"
            )
    return build(Progress, stored["progress"], where=str(folder.state))


def _write_progress(conf: RecipeConf, folder: RecipeFolder, progress: Progress) -> None:
    values = {"progress": asdict(progress), **_identity(conf, folder)}
    with replacing(folder.state) as path:
        path.write_text(json.dumps(values, indent=1), encoding="utf-8")


def _identity(conf: RecipeConf, folder: RecipeFolder) -> dict[str, object]:
    """What may not change on the way, as JSON gives it back."""
    return {"recipe": json.loads(to_json(conf)), "photos.zip": sha256_of(folder.photos)}
