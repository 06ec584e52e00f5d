"""What an output folder holds at a moment: how far a run is, and its newest model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..colmap.snapshots import newest_snapshot
from ..io.colmap_text import is_model
from ..io.output import Output
from ..io.ownership import under_way
from ..io.store import names_so_far


@dataclass(frozen=True)
class Moment:
    """How far a run is.

    images   images that have features
    newest   one of them that had none at the last look, None where all had
    pairs    pairs that have matches
    model    folder of the newest model, None as long as there is none
    running  whether a run is under way
    """

    images: int
    newest: str | None
    pairs: int
    model: Path | None
    running: bool


class Watch:
    """Looks at an output folder, or at the folder of a model.

    Raises `FileNotFoundError` where the folder is neither, unless it is to be waited for.
    """

    def __init__(self, folder: Path, *, wait: bool = False) -> None:
        self.files, self._alone = Output(folder), is_model(folder)
        if not (wait or self._alone or self.files.models()):
            raise FileNotFoundError(f"no model in {folder}: the output folder of a reconstruction")
        self._seen: set[str] = set()

    def look(self) -> Moment:
        """What there is now."""
        if self._alone:
            return Moment(0, None, 0, self.files.root, running=False)
        running = under_way(self.files.root)
        names = names_so_far(self.files.features, "keypoints")
        new = sorted(set(names) - self._seen)
        self._seen.update(names)
        return Moment(
            len(names),
            new[-1] if new else None,
            len(names_so_far(self.files.matches, "matches0")),
            self._model(running),
            running.pairs.parent.exists(),
        )

    def _model(self, running: Output) -> Path | None:
        """The newest: of a run under way before that of an earlier one."""
        snapshot = newest_snapshot(running.sparse)
        models = [*running.models(), *([snapshot] if snapshot else []), *self.files.models()]
        return models[0] if models else None
