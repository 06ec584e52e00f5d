"""The files of a run's folder, named, written and read in one place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from ...core.atomic import atomic_write
from ...core.config import ConfigError


@dataclass(frozen=True)
class RunFolder:
    """Files are replaced whole, so a kill at any moment leaves what was there before."""

    root: Path

    @property
    def conf(self) -> Path:
        """What the run is."""
        return self.root / "conf.json"

    @property
    def log(self) -> Path:
        """A line every few steps."""
        return self.root / "log.jsonl"

    @property
    def last(self) -> Path:
        """The whole state, to resume from."""
        return self.root / "last.pt"

    @property
    def weights(self) -> Path:
        """The averaged (EMA) weights of the last save, to detect with."""
        return self.root / "weights.safetensors"

    @property
    def best(self) -> Path:
        """The averaged (EMA) weights with the highest validation score."""
        return self.root / "best.safetensors"

    def claim(self, description: str, *, write: bool) -> None:
        """Refuse, with `ConfigError`, a folder that holds a run of another description (JSON).

        A run that has saved nothing yet, because its first steps failed, gives way to any other.
        """
        started = self.last.is_file() or self.weights.is_file()
        if started and self.conf.is_file() and self.conf.read_text(encoding="utf-8") != description:
            found = json.loads(self.conf.read_text(encoding="utf-8"))
            other = ", ".join(differing(found, json.loads(description)))
            raise ConfigError(
                f"{self.root} holds a run of another configuration, which differs in {other} "
                f"(see {self.conf}); give another folder or delete it"
            )
        if write and not (started and self.conf.is_file()):
            with atomic_write(self.conf) as path:
                path.write_text(description, encoding="utf-8")

    def load_state(self) -> dict[str, Any] | None:
        """The last saved state on the CPU; None in a new run."""
        if not self.last.is_file():
            return None
        state: dict[str, Any] = torch.load(self.last, map_location="cpu", weights_only=True)
        return state

    def save_state(self, state: dict[str, Any]) -> None:
        with atomic_write(self.last) as path:
            torch.save(state, path)

    def save_weights(
        self, target: Path, network: nn.Module, *, step: int, metadata: Mapping[str, str]
    ) -> None:
        """Write a network to one of the weights files; its metadata say the step as well."""
        weights = {k: v.cpu().contiguous() for k, v in network.state_dict().items()}
        with atomic_write(target) as path:
            save_file(weights, path, metadata={**metadata, "step": str(step)})


def differing(one: Any, other: Any, name: str = "") -> list[str]:
    """Names, with dots, of what differs between two JSON values."""
    if one == other:
        return []
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return [name]
    return [
        found
        for key in sorted(one.keys() | other.keys())
        for found in differing(one.get(key), other.get(key), f"{name}.{key}" if name else key)
    ]
