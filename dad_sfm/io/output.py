"""The files of a reconstruction's output folder, named in one place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_REPORT = "report.json"


def is_output(folder: Path) -> bool:
    """Whether a folder holds the results of a run of ours, or an export of them."""
    return any(is_ours(folder / name) for name in (_REPORT, "export.json"))


def is_ours(path: Path) -> bool:
    """Whether a report or a record of an export is of this package."""
    try:
        with path.open("rb") as file:
            return b'"format_version"' in file.read(256)
    except OSError:
        return False


@dataclass(frozen=True)
class Output:
    """Paths in an output folder.  Nothing is created or checked.

    results        folder of the results, where they are not in ``root`` (yet); see `ownership`
    given_features, given_matches
                   files of another tool, or of another run, instead of those in ``root``
    """

    root: Path
    results: Path | None = None
    given_features: Path | None = None
    given_matches: Path | None = None

    @classmethod
    def of(cls, out: Path | str | Output) -> Output:
        """The paths in a folder, or ``out`` itself."""
        return out if isinstance(out, Output) else cls(Path(out))

    @property
    def features(self) -> Path:
        return self.given_features or self.root / "features.h5"

    @property
    def pairs(self) -> Path:
        return self._results / "pairs.txt"

    @property
    def matches(self) -> Path:
        return self.given_matches or self.root / "matches.h5"

    @property
    def log(self) -> Path:
        return self.root / "log.txt"

    @property
    def images(self) -> Path:
        """The photos, beside the model for tools that look for them there."""
        return self._results / "images"

    @property
    def database(self) -> Path:
        return self._results / "database.db"

    @property
    def sparse(self) -> Path:
        """Folder of the models ``0`` (the largest), ``1``, ..."""
        return self._results / "sparse"

    @property
    def report(self) -> Path:
        return self._results / _REPORT

    @property
    def page(self) -> Path:
        return self._results / "report.html"

    @property
    def _results(self) -> Path:
        return self.results or self.root

    def models(self) -> list[Path]:
        """Folders of the models there are, the largest first."""
        found = [p for p in self.sparse.glob("*") if p.is_dir() and p.name.isdigit()]
        return sorted(found, key=lambda p: int(p.name))
