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

from ...core.atomic import atomic_write
from ...core.config import ConfigError, build, to_json
from ...models.checkpoints import sha256_of
from ..engine.interrupt import Interrupted
from ..package import package
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
    recipe = _Recipe(conf, RecipeFolder(Path(root)), slicing or SliceConf(), device)
    unpack(recipe.folder.photos, recipe.folder.unpacked)
    progress = recipe.progress()
    while progress.stage != "finished":
        progress = recipe.slice(progress)
        yield progress


@dataclass(frozen=True)
class _Recipe:
    """A recipe in its folder, on a device."""

    conf: RecipeConf
    folder: RecipeFolder
    slicing: SliceConf
    device: str

    def slice(self, progress: Progress) -> Progress:
        """One slice, of one stage or several: where it ends."""
        until = time.monotonic() + 60 * self.slicing.minutes * (1 - _SAVING)
        progress = replace(progress, slices=progress.slices + 1)
        while True:
            stage = progress.stage
            interrupted = self.run(stage, minutes=(until - time.monotonic()) / 60)
            finished = stage not in TRAINED or self.is_trained(stage)
            if finished:
                progress = replace(progress, stage=self.conf.after(stage), step=0)
            else:
                progress = replace(progress, step=self.folder.step(stage))
            self.note(progress)
            if interrupted:
                raise interrupted
            if not finished or time.monotonic() >= until or progress.stage == "finished":
                return progress

    def is_trained(self, stage: Stage) -> bool:
        return self.folder.step(stage) >= self.conf.steps_of(stage)

    def run(self, stage: Stage, *, minutes: float) -> Interrupted | None:
        """Go on with a stage for some minutes and keep it in parts; what has interrupted it."""
        for trained in TRAINED[: STAGES.index(stage) + 1]:
            self.folder.restore(trained)
        if stage == "package":
            self.package()
            return None
        if self.folder.is_done(stage, self.conf.steps_of(stage)):
            return None  # a kill came between the last checkpoint and what says where it is
        interrupted = None
        try:
            self.train(stage, minutes=minutes)
        except Interrupted as asked:
            interrupted = asked
        carry, max_bytes = self.slicing.carry, self.slicing.part_bytes
        finished = self.is_trained(stage)
        self.folder.keep(stage, carry=carry, max_bytes=max_bytes, finished=finished)
        return interrupted

    def train(self, stage: Stage, *, minutes: float) -> None:
        folder = self.folder
        run, photos = run_conf(self.conf, stage), [folder.unpacked]
        given: dict[str, Any] = {
            "start": start(self.conf, stage, folder),
            "device": self.device,
            "minutes": minutes,
            "watched": self.slicing.watched,
        }
        if stage == "distil":
            teachers = [folder.run("light").weights, folder.run("dark").weights]
            distil(run, photos, folder.run(stage).root, teachers=teachers, **given)
        else:
            train(run, photos, folder.run(stage).root, **given)

    def package(self) -> None:
        for stage, name in self.conf.packaged.items():
            package(self.folder.run(stage).weights, self.folder.packaged / name)

    def progress(self) -> Progress:
        """Where the recipe stands.  Raises `ConfigError` when it was begun as another one."""
        folder = self.folder
        if not folder.state.is_file():
            return Progress()
        stored = json.loads(folder.state.read_text(encoding="utf-8"))
        for what, asked in self.identity().items():
            if stored[what] != asked:
                raise ConfigError(
                    f"{folder.root} was begun with another {what}: {stored[what]}, not {asked}; "
                    "give another folder, or go on as it was begun"
                )
        return build(Progress, stored["progress"], where=str(folder.state))

    def note(self, progress: Progress) -> None:
        """Write down where the recipe stands."""
        values = {"progress": asdict(progress), **self.identity()}
        with atomic_write(self.folder.state) as path:
            path.write_text(json.dumps(values, indent=1), encoding="utf-8")

    def identity(self) -> dict[str, object]:
        """What may not change on the way, as JSON gives it back."""
        recipe = json.loads(to_json(self.conf))
        return {"recipe": recipe, "photos.zip": sha256_of(self.folder.photos)}
