"""Which files under a folder are its photos, and what is said of the others.

Folders that are links are followed, loops are not.  What is hidden, and the output folders of
earlier runs, are no photos.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from .output import is_output
from .photo_formats import register_plugins
from .text_lists import check_relative, read_names

# Formats of photos by suffix; read where Pillow, with the plug-ins that are installed, reads them.
# Other formats of Pillow hold icons, fonts' glyphs, drawings or data.
# fmt: off
_PHOTO_SUFFIXES = frozenset({
    ".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".mpo", ".png", ".apng", ".bmp", ".dib", ".tif",
    ".tiff", ".webp", ".avif", ".avifs", ".heic", ".heif", ".hif", ".jxl", ".jp2", ".j2k",
    ".j2c", ".jpc", ".jpf", ".jpx", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".tga", ".gif",
    ".sgi", ".rgb", ".rgba", ".bw", ".pcx", ".ras", ".qoi",
})
# fmt: on
_NAMED_OTHERWISE = {".jif": "JPEG"}  # suffixes that Pillow does not list, of formats it reads


@dataclass(frozen=True)
class Listing:
    """What is under an image folder.

    names    the photos: relative, with ``/``, sorted
    unfit    photos whose name cannot be written into the files of a reconstruction, with the
             reason; the names are printable
    ignored  number of the files that are not read, by suffix
    """

    names: list[str]
    unfit: dict[str, str] = field(default_factory=dict)
    ignored: dict[str, int] = field(default_factory=dict)

    def ignored_text(self) -> str:
        """``.heic 40, .txt 1``"""
        return ", ".join(f"{suffix} {count}" for suffix, count in self.ignored.items())


def readable_suffixes() -> frozenset[str]:
    """The suffixes, lower-case, of files that are taken for photos."""
    register_plugins()
    Image.init()
    known = {s for s, form in Image.registered_extensions().items() if form in Image.OPEN}
    known |= {s for s, form in _NAMED_OTHERWISE.items() if form in Image.OPEN}
    return _PHOTO_SUFFIXES & known


def find_images(image_dir: Path | str) -> Listing:
    """List the photos under a folder.  Raises `FileNotFoundError` where there is no such folder."""
    root = Path(image_dir)
    if not root.is_dir():
        raise FileNotFoundError(f"no such image folder: {root}")
    suffixes = readable_suffixes()
    names, unfit, ignored = [], {}, Counter[str]()
    for name in _files(root):
        suffix = Path(name).suffix
        if suffix.lower() not in suffixes:
            ignored[printable(suffix or "no suffix")] += 1
        elif fault := name_fault(name):
            unfit[printable(name)] = fault
        else:
            names.append(name)
    return Listing(sorted(names), unfit, dict(sorted(ignored.items())))


def list_images(image_dir: Path | str) -> list[str]:
    """Names of all photos under a folder: relative, with ``/``, sorted; see `find_images`."""
    return find_images(image_dir).names


def select_images(image_dir: Path | str, image_list: Path | str | Iterable[str] | None) -> Listing:
    """The images to work on, sorted and without repeats.

    ``image_list`` is None (all under the folder), names, or a list file, see `read_names`.
    Raises `FileNotFoundError` naming the first listed image that is not there, `ListError`.
    """
    root = Path(image_dir)
    if image_list is None:
        listing = find_images(root)
        if not listing.names:
            raise FileNotFoundError(
                f"no images under {root} (looked for {', '.join(sorted(readable_suffixes()))}"
                + (f"; ignored {listing.ignored_text()})" if listing.ignored else ")")
            )
        return listing
    if isinstance(image_list, (str, Path)):
        names = sorted(set(read_names(image_list)))
    else:
        names = sorted({Path(n).as_posix() for n in image_list})
        for name in names:
            check_relative(name, "image_list")
    missing = [n for n in names if not (root / n).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{len(missing)} of {len(names)} listed images are not under {root}, "
            f"first: {missing[0]}"
        )
    unfit = {printable(n): fault for n in names if (fault := name_fault(n))}
    return Listing([n for n in names if name_fault(n) is None], unfit)


def resolve_list(image_dir: Path | str, image_list: Path | str | Iterable[str] | None) -> list[str]:
    """The names of `select_images`."""
    return select_images(image_dir, image_list).names


def natural_order(name: str) -> tuple[list[tuple[int, str]], str]:
    """Sort key in which runs of digits count as numbers: ``frame_2`` before ``frame_10``."""
    parts = re.split(r"([0-9]+)", name)
    return [(int(p), "") if p.isdigit() else (-1, p) for p in parts], name


def name_fault(name: str) -> str | None:
    """Why a name cannot stand in feature, pairs and match files; None where it can."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return "its name is not valid UTF-8, which the files of a reconstruction are; rename it"
    if any(c in name for c in "\t\r\n"):
        return "its name holds a tab or a line break, which a pairs file cannot; rename it"
    return None


def printable(name: str) -> str:
    """A name that any file and terminal takes: what is not valid UTF-8 is written as escapes."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _files(root: Path) -> Iterator[str]:
    """Relative names of all files below, without what is hidden or an output folder of ours."""
    pending = [("", frozenset({root.resolve()}))]
    while pending:
        prefix, above = pending.pop()
        try:
            entries = sorted(os.scandir(root / prefix), key=lambda entry: entry.name)
        except OSError:  # a folder that may not be read
            continue
        for entry in entries:
            name = f"{prefix}{entry.name}"
            if entry.name.startswith("."):
                continue
            if entry.is_file():
                yield name
            elif entry.is_dir():
                target = Path(entry.path).resolve()
                if target not in above and not is_output(target):
                    pending.append((f"{name}/", above | {target}))
