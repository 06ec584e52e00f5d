"""The machine: devices, memory, disk; what pycolmap can do; where weights are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from ..core.machine import machine
from ..models.checkpoints import FOLDER_VARIABLE, PACKAGED
from .finding import Finding

_LEAST_DISK = 2 << 30  # bytes: features, matches and database of a few hundred photos
_WEIGHTS = (".pth", ".pt", ".safetensors", ".ckpt", ".tar")


def devices() -> Iterator[Finding]:
    """What networks will run on."""
    about = machine()
    text = f"{about['processor']}, {about['cores']} cores; networks run on {about['device']}"
    yield Finding("ok", "device", text)


def disk(folder: Path) -> Iterator[Finding]:
    """Room for results, and whether a file can be written there."""
    free = shutil.disk_usage(folder).free
    text = f"{free / (1 << 30):.1f} GiB free in {folder}"
    if free < _LEAST_DISK:
        yield Finding("problem", "disk", text, "free some, or write elsewhere with --out")
    elif not os.access(folder, os.W_OK):
        yield Finding("note", "disk", f"{folder} cannot be written to", "give --out")
    else:
        yield Finding("ok", "disk", text)


def colmap() -> Iterator[Finding]:
    """What this build of pycolmap has."""
    try:
        import pycolmap
    except (ImportError, OSError) as error:
        yield Finding("problem", "pycolmap", str(error), "pip install 'pycolmap>=3.13'")
        return
    has = {
        "global mapper": hasattr(pycolmap, "global_mapping"),
        "CUDA": bool(getattr(pycolmap, "has_cuda", False)),
    }
    texts = [f"{name} {'yes' if there else 'no'}" for name, there in has.items()]
    yield Finding("ok", "pycolmap", f"{pycolmap.__version__}: {', '.join(texts)}")


def weights() -> Iterator[Finding]:
    """Checkpoints beside the packaged ones."""
    packaged = sorted(p.stem for p in PACKAGED.glob("*.safetensors"))
    if not packaged:
        yield Finding("problem", "weights", f"none in {PACKAGED}", "install the package again")
        return
    yield Finding("ok", "weights", f"packaged: {', '.join(packaged)}")
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder is None:
        text = f"{FOLDER_VARIABLE} is not set: other checkpoints are downloaded when asked for"
        yield Finding("note", "weights", text)
        return
    path = Path(folder).expanduser()
    if not path.is_dir():
        yield Finding("problem", "weights", f"{FOLDER_VARIABLE} names {folder}, no such folder")
        return
    found = sorted(p.name for p in path.iterdir() if p.suffix in _WEIGHTS)
    yield Finding("ok", "weights", f"in {folder}: {', '.join(found) or 'none'}")
