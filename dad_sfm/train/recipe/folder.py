"""The folder of a recipe: where its files are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from safetensors import safe_open

from ..engine.run_folder import RunFolder


@dataclass(frozen=True)
class RecipeFolder:
    """Paths, and how far each stage is."""

    root: Path

    @property
    def recipe(self) -> Path:
        """What is made, to be resumed with no other."""
        return self.root / "recipe.json"

    @property
    def packaged(self) -> Path:
        """Folder of the detectors to ship."""
        return self.root / "packaged"

    def run(self, stage: str) -> RunFolder:
        """The run folder of a stage."""
        return RunFolder(self.root / stage)

    def step(self, stage: str) -> int:
        """The step of a run's last save; -1 where there is none."""
        path = self.run(stage).weights
        if not path.is_file():
            return -1
        with safe_open(str(path), framework="pt") as weights:
            return int(weights.metadata()["step"])
