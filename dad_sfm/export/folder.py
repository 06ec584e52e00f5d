"""Folders of exported files: built aside, and put in place as a whole.

``export.json`` in the folder says that it is ours and which files it holds.  A folder that holds
others, such as images that a trainer has scaled, is not replaced.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .pinhole import ExportError

_RECORD = "export.json"
_LISTED = 5


@contextmanager
def export_folder(folder: Path, kind: str) -> Iterator[Path]:
    """Yield an empty folder that takes the place of ``folder`` when the block succeeds.

    Raises `ExportError` where ``folder`` holds files that no export of ours has written.
    """
    strangers = sorted(set(_files(folder)) - set(_recorded(folder)))
    if strangers:
        more = f" and {len(strangers) - _LISTED} more" if len(strangers) > _LISTED else ""
        raise ExportError(
            f"{folder} holds files that are not of an export of dad_sfm: "
            f"{', '.join(strangers[:_LISTED])}{more}; move them, or give another folder"
        )
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        files = [*_files(partial), _RECORD]
        record = {"format_version": 1, "export": kind, "files": files}
        (partial / _RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir())


def _recorded(folder: Path) -> list[str]:
    try:
        return list(json.loads((folder / _RECORD).read_text(encoding="utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return []
