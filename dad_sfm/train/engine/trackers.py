"""Where a run's curves can be watched: TensorBoard, Weights & Biases, trackio."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, Protocol, get_args
from uuid import uuid4

TrackerName = Literal["tensorboard", "wandb", "trackio", "none"]
TRACKERS: tuple[str, ...] = get_args(TrackerName)
PROJECT = "dad_sfm"


class Tracker(Protocol):
    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Record the values of one step."""

    def close(self) -> None:
        """Write what is still to be written."""


def start_tracker(
    name: TrackerName | None, folder: Path, *, config: Mapping[str, Any], step: int
) -> Tracker:
    """The tracker of the run in ``folder``, resumed after ``step``.

    ``name`` None is TensorBoard where it is installed, else none.  Raises ImportError, with what
    to install, for a named one that is not.
    """
    if name is None:
        try:
            return TensorBoard(folder / "tensorboard", step=step)
        except ImportError:
            return Nowhere()
    if name == "none":
        return Nowhere()
    try:
        if name == "tensorboard":
            return TensorBoard(folder / "tensorboard", step=step)
        module = importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"--tracker {name} needs the package {name}: pip install {name} (or --tracker none)"
        ) from error
    own = {"id": _identity(folder / "wandb-id"), "dir": str(folder)} if name == "wandb" else {}
    return Hosted(module, name=folder.resolve().name, config=dict(config), **own)


class Nowhere:
    """Tracks nothing; ``log.jsonl`` has everything anyway."""

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        pass

    def close(self) -> None:
        pass


class TensorBoard:
    """Event files; see them with ``tensorboard --logdir RUN``."""

    def __init__(self, folder: Path, *, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        # What a killed run wrote after its last save is about to be written again.
        self._writer = SummaryWriter(str(folder), purge_step=step + 1)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        self._writer.close()


class Hosted:
    """Weights & Biases, and trackio, which has the same three calls."""

    def __init__(self, module: ModuleType, **options: Any) -> None:
        self._module = module
        module.init(project=PROJECT, resume="allow", **options)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        self._module.log(dict(values), step=step)

    def close(self) -> None:
        self._module.finish()


def _identity(path: Path) -> str:
    """A name that no other run has, kept in the run's folder."""
    if not path.is_file():
        path.write_text(uuid4().hex, encoding="utf-8")
    return path.read_text(encoding="utf-8")
