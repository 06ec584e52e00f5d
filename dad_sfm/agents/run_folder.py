"""The files of an agent's run."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from ..core.atomic import atomic_write
from ..core.config import ConfigError, build
from .conf import AgentConf
from .q_network import RecurrentQ

_NAME = re.compile(r"step-(\d+)\.safetensors")


@dataclass(frozen=True)
class AgentFolder:
    """``conf.json``, ``log.jsonl``, and ``step-*.safetensors``, a checkpoint every few steps."""

    root: Path

    @property
    def log(self) -> Path:
        return self.root / "log.jsonl"

    def begin(self, conf: AgentConf, keypoints: str) -> None:
        """Start a run.  Raises `ConfigError` where there is one already."""
        if (self.root / "conf.json").exists():
            raise ConfigError(f"{self.root} holds a run already; give another folder or delete it")
        self.root.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"agent": asdict(conf), "keypoints": keypoints}, indent=1)
        with atomic_write(self.root / "conf.json") as path:
            path.write_text(text, encoding="utf-8")

    def read(self) -> tuple[AgentConf, str]:
        """The run's configuration, and the weights of its keypoints."""
        path = self.root / "conf.json"
        if not path.is_file():
            raise ConfigError(f"{self.root} is no run of an agent: it has no conf.json")
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return build(AgentConf, found["agent"], where=str(path)), found["keypoints"]

    def report(self, values: dict[str, float]) -> None:
        with self.log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(values) + "\n")

    def save(self, network: RecurrentQ, step: int) -> Path:
        weights = {name: value.contiguous() for name, value in network.state_dict().items()}
        target = self.root / f"step-{step:08d}.safetensors"
        with atomic_write(target) as path:
            save_file(weights, path, metadata={"step": str(step)})
        return target

    def checkpoints(self) -> dict[int, Path]:
        """Checkpoints by step, in their order."""
        found = {
            int(match[1]): path
            for path in self.root.iterdir()
            if (match := _NAME.fullmatch(path.name))
        }
        return dict(sorted(found.items()))
