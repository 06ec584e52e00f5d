"""Files in parts: a checkpoint cut into pieces small enough to carry, and put together again.

A folder of parts holds ``manifest.json`` and the parts it names.  A part is named for its content
and the manifest is replaced last, so a kill at any moment leaves the checkpoint before it whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ...core.atomic import atomic_write
from ...core.config import ConfigError, build
from ...models.checkpoints import sha256_of

MANIFEST = "manifest.json"


class PartsError(ValueError):
    """A folder of parts does not give back what was put in.  The message names the part."""


@dataclass(frozen=True)
class Part:
    """One piece of the file ``file``, kept as ``name``."""

    file: str
    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a folder of parts holds: its parts in order, and the digest of each whole file."""

    step: int  # of the training run whose checkpoint this is
    sha256: dict[str, str]
    parts: list[Part]


def split(files: Sequence[Path], folder: Path | str, *, max_bytes: int, step: int = 0) -> Manifest:
    """Cut files into parts of at most ``max_bytes`` in ``folder``, in place of what it held.

    Raises FileNotFoundError when a file is missing; the folder is then what it was.
    """
    folder = Path(folder)
    parts = [part for path in files for part in _split_file(path, folder, max_bytes)]
    manifest = Manifest(step, {path.name: sha256_of(path) for path in files}, parts)
    assert len(manifest.sha256) == len(files), "two files of one name"
    with atomic_write(folder / MANIFEST) as path:
        path.write_text(json.dumps(asdict(manifest), indent=1), encoding="utf-8")
    kept = {MANIFEST, *(part.name for part in parts)}
    for path in folder.iterdir():
        if path.name not in kept:
            path.unlink()
    return manifest


def _split_file(path: Path, folder: Path, max_bytes: int) -> Iterator[Part]:
    with path.open("rb") as file:
        number = 0
        while piece := file.read(max_bytes):
            digest = hashlib.sha256(piece).hexdigest()
            part = Part(path.name, f"{path.name}.{number:03d}.{digest[:12]}", len(piece), digest)
            with atomic_write(folder / part.name) as partial:
                partial.write_bytes(piece)
            yield part
            number += 1


def join(folder: Path | str, target: Path | str) -> list[Path]:
    """Put the files of a folder of parts together in the folder ``target``; returns their paths.

    Raises `PartsError` that names the part which is missing or changed, before anything is
    written.
    """
    folder, target = Path(folder), Path(target)
    manifest = read_manifest(folder)
    for part in manifest.parts:
        _check(folder / part.name, part)
    return [_join_file(name, manifest, folder, target) for name in manifest.sha256]


def _check(path: Path, part: Part) -> None:
    if not path.is_file():
        raise PartsError(f"{path}: this part of {part.file} is missing")
    found = path.stat().st_size
    if found != part.bytes:
        raise PartsError(f"{path}: {found} bytes, but this part of {part.file} has {part.bytes}")
    if sha256_of(path) != part.sha256:
        raise PartsError(f"{path}: this part of {part.file} was changed (its SHA-256 differs)")


def _join_file(name: str, manifest: Manifest, folder: Path, target: Path) -> Path:
    with atomic_write(target / name) as partial:
        with partial.open("wb") as whole:
            for part in manifest.parts:
                if part.file == name:
                    whole.write((folder / part.name).read_bytes())
        if sha256_of(partial) != manifest.sha256[name]:
            raise PartsError(f"{folder / MANIFEST}: its parts do not make up {name}")
    return target / name


def read_manifest(folder: Path | str) -> Manifest:
    """The manifest of a folder of parts.  Raises `PartsError` when there is none to be read."""
    path = Path(folder) / MANIFEST
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        parts = [build(Part, part, where="part") for part in values["parts"]]
        manifest = build(Manifest, {**values, "parts": parts}, where="manifest")
    except FileNotFoundError:
        raise PartsError(f"{path} is missing; without it the parts cannot be joined") from None
    except (json.JSONDecodeError, KeyError, TypeError, ConfigError) as error:
        raise PartsError(f"{path}: not a manifest of parts ({error})") from error
    for name in (*manifest.sha256, *(part.name for part in parts)):
        # A manifest from elsewhere must not reach outside its folders.
        if name != Path(name).name:
            raise PartsError(f"{path}: {name!r} is not the name of a file")
    return manifest
