"""The folder of a recipe: where its files are, and how its runs are kept in parts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from safetensors import safe_open

from ..engine.run_folder import RunFolder
from ..package import package
from .carried import Carry, write_carried
from .parts import MANIFEST, join, read_manifest, split


@dataclass(frozen=True)
class RecipeFolder:
    """Paths, and checkpoints in parts.  All but ``work`` is what another machine needs."""

    root: Path

    @property
    def photos(self) -> Path:
        """The packed photos; see `photo_pack`."""
        return self.root / "photos.zip"

    @property
    def state(self) -> Path:
        """What is made, and how far it is."""
        return self.root / "state.json"

    @property
    def packaged(self) -> Path:
        """Folder of the detectors to ship."""
        return self.root / "packaged"

    @property
    def unpacked(self) -> Path:
        """Folder of the photos, made again where it is missing."""
        return self.root / "work" / "photos"

    def run(self, stage: str) -> RunFolder:
        """A stage's run folder, put together from its parts where it is missing."""
        return RunFolder(self.root / "work" / stage)

    def parts(self, stage: str) -> Path:
        """Folder of the parts of a stage's checkpoint."""
        return self.root / "checkpoints" / stage

    def step(self, stage: str) -> int:
        """The step of a run's last save; -1 where there is none."""
        path = self.run(stage).weights
        if not path.is_file():
            return -1
        with safe_open(str(path), framework="pt") as weights:
            return int(weights.metadata()["step"])

    def is_done(self, stage: str, steps: int) -> bool:
        """Whether a run was put together from the parts of a finished one, which have no state."""
        return self.step(stage) >= steps and not self.run(stage).last.is_file()

    def keep(self, stage: str, *, carry: Carry, max_bytes: int, finished: bool) -> None:
        """Split what is carried of a run's last save into parts: of a finished one the weights."""
        run = self.run(stage)
        rounded = RunFolder(run.root / "carried")
        # The weights come last: the step is read from them, so a kill while parts are being
        # joined leaves a run that looks as old as it was.
        files = [run.log] if run.log.is_file() else []
        if carry == "exact":
            files += [run.weights] if finished else [run.last, run.weights]
        elif finished:
            files += [package(run.weights, rounded.weights)]
        else:
            files += [write_carried(run.last, rounded.last, carry)]
        split(files, self.parts(stage), max_bytes=max_bytes, step=self.step(stage))

    def restore(self, stage: str) -> None:
        """Put a run together from its parts where they are ahead of what is here.

        Raises `PartsError` when a part is missing or changed.
        """
        parts = self.parts(stage)
        if (parts / MANIFEST).is_file() and read_manifest(parts).step > self.step(stage):
            join(parts, self.run(stage).root)
