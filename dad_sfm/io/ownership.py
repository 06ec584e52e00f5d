"""Whose the files of an output folder are, and how new results take the place of old ones.

The folder may be the user's scene itself, with a model and a database of their own in it.  So a
run replaces only what a report of ours claims, by name and content.  It builds its results in a
folder of their own, from which they take their places by renaming when the run has succeeded.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from typing_extensions import Self

from ..core.atomic import atomic_write
from ..core.digest import sha256_of, sha256_of_content
from .output import Output, is_ours
from .pairs_file import origins_path
from .store import StoreError
from .store.reader import Reader

ImagesBeside = Literal["link", "copy", "none"]

_JOURNAL = ".dad_sfm_run.json"  # what a run under way claims besides the report
_STAGING = ".dad_sfm_partial"  # its results
_LISTED = 5
_ANY = ""  # a claim of whatever a file holds


class OutputError(ValueError):
    """An output folder holds files that are not ours.  The message names them."""


def under_way(root: Path) -> Output:
    """The files of the run that is at work in ``root``, if one is."""
    return Output(root, root / _STAGING)


class Claim:
    """A run's hold on an output folder; its results grow in ``staged``.

    Used in a ``with`` statement.  Raises `OutputError` at the start when a file stands where a
    result goes that no report of ours claims: nothing is touched.
    """

    def __init__(self, root: Path) -> None:
        self.files, self.staged = Output(root), under_way(root)
        self._claims = _claims(self.files)
        strangers = [name for name in _present(self.files) if not self._is_ours(name)]
        if strangers:
            more = f" and {len(strangers) - _LISTED} more" if len(strangers) > _LISTED else ""
            raise OutputError(
                f"{root} holds files that no report of dad_sfm claims: "
                f"{', '.join(strangers[:_LISTED])}{more}; move them, or give another output folder"
            )
        root.mkdir(parents=True, exist_ok=True)
        steps = self.files.log, self.files.features, self.files.matches
        self._note({path.name: _ANY for path in steps})
        self._remove_staging()
        self.staged.pairs.parent.mkdir()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._remove_staging()
        # Without a report, which a full disk may have prevented, nothing else claims the log.
        if is_ours(self.files.report) or not _present(self.files):
            (self.files.root / _JOURNAL).unlink(missing_ok=True)

    @property
    def has_success(self) -> bool:
        """Whether the folder holds a model of an earlier run."""
        return _read(self.files.report).get("status") in ("complete", "partial")

    def stage_images(self, image_dir: Path, how: ImagesBeside) -> None:
        """Prepare ``images/`` beside the model: a link to the photos, or copies of them.

        A folder ``images`` that holds the photos stays as it is.  Raises `OutputError` where there
        is another one.
        """
        target, link = self.files.images, self.files.images.is_symlink()
        if how == "none" or (target.exists() and target.resolve() == image_dir.resolve()):
            return
        if how == "link":
            if (target.exists() and not link) or (link and not self._is_ours(target.name)):
                raise OutputError(
                    f"{target} is not the folder of the photos ({image_dir}); move it, give "
                    "another output folder, or ask for no images beside the model"
                )
            self.staged.images.symlink_to(image_dir.resolve(), target_is_directory=True)
        else:
            self._copy_images(image_dir)

    def digests(self) -> dict[str, str]:
        """The files of this run by name, with their digests: what the report is to claim."""
        return {_name(self.staged, path): _digest(path) for path in _result_files(self.staged)}

    def publish(self, digests: Mapping[str, str]) -> None:
        """Put the staged results into their places, the report last.

        A kill in between leaves files that the next run knows for ours.
        """
        self._note(digests)
        old = self.staged.pairs.parent / "old"
        old.mkdir()
        for source, target in zip(_results(self.staged), _results(self.files), strict=True):
            if _stands(target) and (_stands(source) or target != self.files.images):
                target.replace(old / target.name)
            if _stands(source):
                source.replace(target)
        for path in _failed_reports(self.files):
            path.unlink(missing_ok=True)

    def publish_failure(self) -> None:
        """Put the report of a failed run beside an earlier success, which stays as it is."""
        staged = self.staged.report, self.staged.page
        for source, target in zip(staged, _failed_reports(self.files), strict=True):
            source.replace(target)

    def _copy_images(self, image_dir: Path) -> None:
        from .listing import list_images  # which asks `output` for folders to leave out

        self.files.images.mkdir(exist_ok=True)
        for name in list_images(image_dir):
            source, target = image_dir / name, self.files.images / name
            if not target.exists():
                with atomic_write(target) as partial:
                    shutil.copyfile(source, partial)
            elif sha256_of(source) != sha256_of(target):
                raise OutputError(f"{target} is not the photo {source}; remove it to have a copy")

    def _is_ours(self, name: str) -> bool:
        known = self._claims.get(name, [])
        return _ANY in known or (bool(known) and _digest(self.files.root / name) in known)

    def _note(self, digests: Mapping[str, str]) -> None:
        for name, digest in digests.items():
            self._claims.setdefault(name, []).append(digest)
        with atomic_write(self.files.root / _JOURNAL) as partial:
            partial.write_text(json.dumps({"files": self._claims}, indent=1), encoding="utf-8")

    def _remove_staging(self) -> None:
        shutil.rmtree(self.staged.pairs.parent, ignore_errors=True)


def _results(files: Output) -> list[Path]:
    """What is replaced, in the order in which it is."""
    pairs = files.pairs, origins_path(files.pairs)
    return [*pairs, files.database, files.sparse, files.images, files.page, files.report]


def _failed_reports(files: Output) -> list[Path]:
    return [p.with_name(f"{p.stem}.failed{p.suffix}") for p in (files.report, files.page)]


def _result_files(files: Output) -> Iterator[Path]:
    """The files that a report claims by their content."""
    named = files.pairs, origins_path(files.pairs), files.database
    yield from (p for p in named if _stands(p))
    if files.images.is_symlink():
        yield files.images
    if files.sparse.is_symlink() or files.sparse.is_file():
        yield files.sparse
    else:
        yield from sorted(p for p in files.sparse.rglob("*") if p.is_symlink() or p.is_file())


def _present(files: Output) -> list[str]:
    """Names of the files that stand where ours go; ``images`` is looked at when it is staged."""
    places = [files.log, files.page, files.report, *_result_files(files)]
    places += [path for path in (files.features, files.matches) if not _made_by_us(path)]
    return [_name(files, p) for p in places if _stands(p) and p != files.images]


def _made_by_us(path: Path) -> bool:
    """Whether a feature or match file says so itself; one that cannot be read does not."""
    try:
        with Reader(path) as reader:
            return bool(reader.provenance)
    except (StoreError, OSError):
        return False


def _claims(files: Output) -> dict[str, list[str]]:
    """Digests by name, from the report and from what an interrupted run has noted."""
    claims: dict[str, list[str]] = {}
    if is_ours(files.report):
        by_name = (files.report, files.page, files.log, files.features, files.matches)
        claims = {_name(files, path): [_ANY] for path in by_name}
        for name, digest in _read(files.report).get("files", {}).items():
            claims[name] = [digest]
    for name, digests in _read(files.root / _JOURNAL).get("files", {}).items():
        claims.setdefault(name, []).extend(digests)
    return claims


def _digest(path: Path) -> str:
    return f"link:{os.readlink(path)}" if path.is_symlink() else sha256_of_content(path)


def _stands(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def _name(files: Output, path: Path) -> str:
    return path.relative_to(files.results or files.root).as_posix()


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
