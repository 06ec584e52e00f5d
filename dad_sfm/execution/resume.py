"""Which images are to be extracted: those that a feature file lacks, and those whose photo is
another one now.

A feature file belongs to one image folder.  Names alone would let the photos of one folder pass
for those of another that has files of the same names.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from ..io.images import ImageError
from ..io.photo_identity import identify
from ..io.store import FeatureReader, FeatureWriter, StoreError
from .prefetch import prefetch

logger = logging.getLogger(__name__)

_LISTED = 5  # names that a message lists


def images_to_extract(
    writer: FeatureWriter,
    image_dir: Path | str,
    names: Sequence[str],
    *,
    whole: bool,
    overwrite: bool = False,
) -> list[str]:
    """The ``names`` that are to be extracted into an open feature file, in their order.

    whole      the names are all photos of the folder: entries whose photo is gone are warned of,
               and an entry without a photo in a moved folder is refused
    overwrite  all of them, whatever the file holds

    Records the image folder.  Raises `StoreError` when the file holds features of other photos
    under the names of another folder.
    """
    root = Path(image_dir).resolve()
    known = [name for name in names if name in writer]
    changed = [] if overwrite else _changed(writer, root, known)
    gone = [n for n in writer.names() if not (root / n).is_file()] if whole else []
    if not overwrite and writer.image_dir not in (None, str(root)):
        _refuse_others(writer, root, changed + gone)
    writer.write_image_dir(str(root))
    if changed:
        logger.warning(
            "%d photos have changed since their features were extracted, these are made again: %s",
            len(changed),
            _some(changed),
        )
    if gone:
        logger.warning("%d photos are gone from %s: %s", len(gone), root, _some(gone))
    done = set() if overwrite else set(known).difference(changed)
    return [name for name in names if name not in done]


def starts_over(
    path: Path, provenance: dict[str, object], names: Sequence[str] | None, *, overwrite: bool
) -> bool:
    """Whether an overwritten feature file begins empty, rather than entry by entry.

    names  the images that are listed for extraction, None for a whole folder

    As in hloc, overwriting redoes the listed images and keeps the others.  What another
    configuration made cannot stand beside them, though: raises `StoreError` rather than drop it.
    """
    if not overwrite or not path.is_file():
        return False
    try:
        with FeatureReader(path) as reader:
            if reader.provenance == provenance:
                return False
            others = [] if names is None else sorted(set(reader.names()).difference(names))
    except StoreError:  # it cannot be read: nothing is lost
        return True
    if others:
        raise StoreError(
            f"{path} holds {len(others)} other images made by another configuration "
            f"({_some(others)}); overwrite all of them, or give another path"
        )
    return True


def _changed(writer: FeatureWriter, root: Path, names: Sequence[str]) -> list[str]:
    found = []
    for name, future in prefetch(lambda name: identify(root / name), names):
        error = future.exception()
        if error is not None and not isinstance(error, ImageError):
            raise error
        if error is not None or future.result() != writer.source(name):
            found.append(name)
    return found


def _refuse_others(writer: FeatureWriter, root: Path, others: Sequence[str]) -> None:
    if others:
        raise StoreError(
            f"{writer.path} was made from the photos of {writer.image_dir}, and {len(others)} of "
            f"them are not those of {root} ({_some(others)}); give another output, or overwrite it"
        )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
