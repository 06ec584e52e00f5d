"""A photo folder in one file of a size that can be carried.

A pack is an uncompressed zip of JPEGs and ``index.json``, which names the photos they were made
from and their digests.  Photos are scaled and compressed just as much as the size asks for.  The
same photos give the same bytes (with one version of Pillow and its JPEG library).
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import re
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image

from ...core.atomic import atomic_write
from ...core.config import ConfigError, build
from ...io.images import ImageError, read_image, size_for, to_array
from ...io.listing import list_images
from ...models.checkpoints import sha256_of

logger = logging.getLogger(__name__)

# (long side in px, JPEG quality), best first.  Below 640 px a training view of 640 px only
# enlarges, so compression pays before further scaling does.
RUNGS = (
    (1600, 92), (1280, 92), (1024, 92), (1024, 85), (896, 85), (768, 85), (640, 85), (640, 75),
    (512, 75), (448, 75), (384, 75), (320, 75), (256, 75), (192, 70), (128, 70),
)  # fmt: skip
_SAMPLE = 24  # photos by which a rung is judged before all are encoded
_INDEX = "index.json"
_ENTRY = re.compile(r"\d{6,}\.jpg")


class PackError(ValueError):
    """A pack cannot be made or read.  The message says why and what to do."""


@dataclass(frozen=True)
class Photo:
    """A photo in a pack: its entry, what it was made from, the digest of its bytes."""

    entry: str
    source: str
    sha256: str


def pack(folders: Sequence[Path | str], target: Path | str, *, max_bytes: int = 45_000_000) -> Path:
    """Write all photos under the folders into one file of at most ``max_bytes``.

    Photos are never enlarged; those that cannot be decoded are left out with a warning.  Returns
    ``target``.  Raises FileNotFoundError when there are none, and `PackError` when they do not
    fit even at the lowest rung.
    """
    target = Path(target)
    photos = [Path(folder) / name for folder in folders for name in list_images(folder)]
    readable = [path for path in photos if _readable(path)]
    if not readable:
        raise FileNotFoundError(f"no photos under {', '.join(map(str, folders))}")
    sample = readable[:: -(-len(readable) // _SAMPLE)]
    for side, quality in RUNGS:
        mean = sum(len(_encode(path, side, quality)) for path in sample) / len(sample)
        if mean * len(readable) > 1.1 * max_bytes:
            continue
        content = _zipped(readable, side, quality, max_bytes)
        if content is not None:
            with atomic_write(target) as partial:
                partial.write_bytes(content)
            logger.info("%d photos at %d px, quality %d: %s", len(readable), side, quality, target)
            return target
    raise PackError(
        f"{len(readable)} photos do not fit into {max_bytes} bytes even at {RUNGS[-1][0]} px; "
        "give fewer photos or allow a larger file"
    )


def _readable(path: Path) -> bool:
    try:
        read_image(path)
    except ImageError as error:
        logger.warning("left out: %s", error)
        return False
    return True


def _encode(path: Path, side: int, quality: int) -> bytes:
    """JPEG of a photo whose long side is at most ``side`` px."""
    image = read_image(path)
    pixels = to_array(image, size_for(image.size, resize_max=side))
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, optimize=True)
    return stream.getvalue()


def _zipped(photos: Sequence[Path], side: int, quality: int, max_bytes: int) -> bytes | None:
    """The bytes of a pack, or None when there would be too many."""
    stream = io.BytesIO()
    index: list[dict[str, str]] = []
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for path in photos:
            data = _encode(path, side, quality)
            entry = f"{len(index):06d}.jpg"
            index.append(asdict(Photo(entry, path.name, hashlib.sha256(data).hexdigest())))
            # A date of today would make other bytes tomorrow.
            archive.writestr(zipfile.ZipInfo(entry), data)
            if stream.tell() > max_bytes:
                return None
        values = {"side": side, "quality": quality, "photos": index}
        archive.writestr(zipfile.ZipInfo(_INDEX), json.dumps(values, indent=1))
    return stream.getvalue() if stream.tell() <= max_bytes else None


def unpack(packed: Path | str, folder: Path | str) -> Path:
    """Write the photos of a pack into ``folder``; returns it.

    Photos that are there already are kept when they are those of the pack, so unpacking again
    costs little.  Raises `PackError` when the file is no pack, is damaged, or when the folder
    holds photos of something else.
    """
    packed, folder = Path(packed), Path(folder)
    try:
        with zipfile.ZipFile(packed) as archive:
            photos = _index(packed, archive)
            folder.mkdir(parents=True, exist_ok=True)
            strangers = set(list_images(folder)) - {photo.entry for photo in photos}
            if strangers:
                raise PackError(
                    f"{folder} holds photos that are not in {packed}, first: {min(strangers)}; "
                    "give another folder or delete it"
                )
            for photo in photos:
                _unpack_photo(photo, packed, archive, folder / photo.entry)
    except FileNotFoundError:
        raise PackError(
            f"no such pack of photos: {packed}; pack a folder of photos first"
        ) from None
    except zipfile.BadZipFile as error:
        raise PackError(f"{packed}: damaged, or not a pack of photos ({error})") from error
    return folder


def _index(packed: Path, archive: zipfile.ZipFile) -> list[Photo]:
    try:
        values = json.loads(archive.read(_INDEX))
        photos = [build(Photo, photo, where="photo") for photo in values["photos"]]
    except (KeyError, TypeError, json.JSONDecodeError, ConfigError) as error:
        raise PackError(f"{packed}: not a pack of photos (no index that can be read)") from error
    for photo in photos:
        # A pack from elsewhere must not write outside its folder.
        if not _ENTRY.fullmatch(photo.entry):
            raise PackError(f"{packed}: {photo.entry!r} is not the name of a photo in a pack")
    return photos


def _unpack_photo(photo: Photo, packed: Path, archive: zipfile.ZipFile, target: Path) -> None:
    if target.is_file() and sha256_of(target) == photo.sha256:
        return
    try:
        data = archive.read(photo.entry)
    except KeyError:
        raise PackError(f"{packed}: {photo.entry} ({photo.source}) is missing") from None
    if hashlib.sha256(data).hexdigest() != photo.sha256:
        raise PackError(f"{packed}: {photo.entry} ({photo.source}) was changed")
    with atomic_write(target) as partial:
        partial.write_bytes(data)
