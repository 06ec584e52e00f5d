"""The recipe of a DaD detector: a light and a dark one, distilled into one, packaged.

It runs in slices of a few minutes, for machines that are lent for no longer.  Each slice ends with
a checkpoint in parts small enough to carry, and the next one, there or elsewhere, goes on from it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from ...checkpoints import sha256_of
from ...config import ConfigError, build, to_json
from ..objectives.rl import RLConf
from ..package import package
from ..presets import PRESETS, RunConf, distillation
from ..replacing import replacing
from ..runs import distil, train
from .carried import Carry
from .folder import RecipeFolder
from .photo_pack import unpack

Stage = Literal["light", "dark", "distil", "package", "finished"]
TRAINED: tuple[Stage, ...] = ("light", "dark", "distil")
STAGES: tuple[Stage, ...] = (*TRAINED, "package", "finished")
_SAVING = 0.05  # share of a slice that is kept for starting and saving


@dataclass(frozen=True)
class RecipeConf:
    """What is made.  A folder goes on with the one that it was begun with, or not at all."""

    preset: str
    network: str
    steps: tuple[int, ...]  # of light, dark and distil
    seed: int = 0

    @staticmethod
    def chosen(
        preset: str, *, network: str | None = None, steps: Sequence[int] = (), seed: int = 0
    ) -> RecipeConf:
        """A preset, with another network or other steps: one number, or one a trained stage."""
        conf = PRESETS[preset]
        steps = tuple(steps) or (conf.loop.steps,)
        if len(steps) not in (1, len(TRAINED)) or min(steps) < 1:
            raise ConfigError(f"steps: one number, or one for each of {', '.join(TRAINED)}")
        steps = tuple(steps) * (len(TRAINED) // len(steps))
        return RecipeConf(preset, network or conf.network, steps, seed)


@dataclass(frozen=True)
class SliceConf:
    """How long a slice lasts, and what its checkpoint holds, in files how large."""

    minutes: float = 8.0
    part_bytes: int = 15_000_000
    carry: Carry = "exact"


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
    each slice; an interrupted run ends the slices.  Raises `PackError` and `PartsError` for files
    that are missing or damaged, `ConfigError` when the folder was begun with another
    configuration or other photos, and what `train` and `distil` raise.
    """
    folder, slicing = RecipeFolder(Path(root)), slicing or SliceConf()
    unpack(folder.photos, folder.unpacked)
    progress, interrupted = _read_progress(conf, folder), False
    while progress.stage != "finished" and not interrupted:
        progress, interrupted = _slice(conf, folder, slicing, progress, device)
        yield progress


def _slice(
    conf: RecipeConf, folder: RecipeFolder, slicing: SliceConf, progress: Progress, device: str
) -> tuple[Progress, bool]:
    """One slice, of one stage or several: where it ends, and whether it was interrupted."""
    until = time.monotonic() + 60 * slicing.minutes * (1 - _SAVING)
    progress = replace(progress, slices=progress.slices + 1)
    while True:
        stage, left = progress.stage, (until - time.monotonic()) / 60
        finished = _run_stage(conf, folder, slicing, stage, minutes=left, device=device)
        if finished:
            progress = replace(progress, stage=STAGES[STAGES.index(stage) + 1], step=0)
        else:
            progress = replace(progress, step=folder.step(stage))
        _write_progress(conf, folder, progress)
        time_is_up = time.monotonic() >= until
        if time_is_up or not finished or progress.stage == "finished":
            return progress, not finished and not time_is_up


def _run_stage(
    conf: RecipeConf,
    folder: RecipeFolder,
    slicing: SliceConf,
    stage: Stage,
    *,
    minutes: float,
    device: str,
) -> bool:
    """Go on with a stage for some minutes and keep it in parts; whether it is finished."""
    for trained in TRAINED[: STAGES.index(stage) + 1]:
        folder.restore(trained)
    if stage == "package":
        _package(conf, folder)
        return True
    _train(conf, folder, stage, minutes=minutes, device=device)
    finished = folder.step(stage) >= conf.steps[TRAINED.index(stage)]
    folder.keep(stage, carry=slicing.carry, max_bytes=slicing.part_bytes, finished=finished)
    return finished


def run_conf(conf: RecipeConf, stage: Stage) -> RunConf:
    """The training run of a stage."""
    preset = PRESETS[conf.preset]
    loop = replace(preset.loop, steps=conf.steps[TRAINED.index(stage)], seed=conf.seed)
    run = replace(preset, network=conf.network, loop=loop)
    if stage == "distil":
        return distillation(run)
    assert isinstance(run.objective, RLConf)
    assert stage in ("light", "dark")
    return replace(run, objective=replace(run.objective, polarity=stage))


def _train(
    conf: RecipeConf, folder: RecipeFolder, stage: Stage, *, minutes: float, device: str
) -> None:
    run, photos, run_dir = run_conf(conf, stage), [folder.unpacked], folder.run(stage).root
    if stage == "distil":
        teachers = [folder.run("light").weights, folder.run("dark").weights]
        distil(run, photos, run_dir, teachers=teachers, device=device, minutes=minutes)
    else:
        train(run, photos, run_dir, device=device, minutes=minutes)


def _package(conf: RecipeConf, folder: RecipeFolder) -> None:
    """As the published and the packaged files are called: dad, dad_light, dad_nano, ..."""
    name = "dad" if conf.network == "dad" else f"dad_{conf.network}"
    for stage, kind in {"light": "_light", "dark": "_dark", "distil": ""}.items():
        package(folder.run(stage).weights, folder.packaged / f"{name}{kind}.safetensors")


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
