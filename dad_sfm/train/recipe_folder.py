"""The folder of a recipe: where its files are, and how its runs are kept in parts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from safetensors import safe_open

from .carried import Carry, write_carried
from .package import package
from .parts import MANIFEST, join, read_manifest, split

# A run's files; the weights come last, because the step is read from them: a kill while parts are
# being joined leaves a run that looks as old as it was.
_STATE, _LOG, _WEIGHTS = "last.pt", "log.jsonl", "weights.safetensors"


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

    def run(self, stage: str) -> Path:
        """A stage's run folder, put together from its parts where it is missing."""
        return self.root / "work" / stage

    def weights(self, stage: str) -> Path:
        return self.run(stage) / _WEIGHTS

    def parts(self, stage: str) -> Path:
        """Folder of the parts of a stage's checkpoint."""
        return self.root / "checkpoints" / stage

    def step(self, stage: str) -> int:
        """The step of a run's last save; -1 where there is none."""
        if not self.weights(stage).is_file():
            return -1
        with safe_open(str(self.weights(stage)), framework="pt") as weights:
            return int(weights.metadata()["step"])

    def keep(self, stage: str, *, carry: Carry, max_bytes: int, finished: bool) -> None:
        """Split what is carried of a run's last save into parts: of a finished one the weights."""
        files = [self.run(stage) / _LOG] if (self.run(stage) / _LOG).is_file() else []
        if carry == "exact":
            files += [] if finished else [self.run(stage) / _STATE]
            files += [self.weights(stage)]
        elif finished:
            files += [package(self.weights(stage), self.run(stage) / "carried" / _WEIGHTS)]
        else:
            files += [self.run(stage) / "carried" / _STATE]
            write_carried(self.run(stage) / _STATE, files[-1], carry)
        split(files, self.parts(stage), max_bytes=max_bytes, step=self.step(stage))

    def restore(self, stage: str) -> None:
        """Put a run together from its parts where they are ahead of what is here.

        Raises `PartsError` when a part is missing or changed.
        """
        parts = self.parts(stage)
        if (parts / MANIFEST).is_file() and read_manifest(parts).step > self.step(stage):
            join(parts, self.run(stage))
