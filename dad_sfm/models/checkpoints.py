"""Checkpoints: from a path, a URL or a name to a local file, and its SHA-256.

The only module that looks for weights; `downloads` fetches them.  Where nothing is said, the file
is looked for by its name in the folder that the environment variable ``DAD_SFM_WEIGHTS`` names (put
every checkpoint there to work offline), among the packaged weights and in torch's cache
(``TORCH_HOME``); only then is it downloaded, into that cache.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from ..core.digest import sha256_of
from .downloads import fetch, offline

__all__ = [
    "CheckpointError",
    "file_metadata",
    "load_state_dict",
    "offline",
    "resolve",
    "sha256_of",
]

FOLDER_VARIABLE = "DAD_SFM_WEIGHTS"
PACKAGED = Path(__file__).parents[1] / "weights"

# What torch and safetensors make of damaged files, besides their own errors.
_UNREADABLE = (
    *(SafetensorError, RuntimeError, OSError, EOFError, ValueError, LookupError, TypeError),
    *(AttributeError, AssertionError, OverflowError, MemoryError, NotImplementedError),
    *(struct.error, zlib.error),
)


class CheckpointError(FileNotFoundError):
    """A checkpoint cannot be had or is not the one expected.  The message says what to do."""


def resolve(
    source: str | Path | None,
    *,
    url: str | None = None,
    filename: str | None = None,
    sha256: str | None = None,
    page: str | None = None,
) -> Path:
    """The local file of a checkpoint, downloaded if need be.

    source    what the user asked for: a local path, a URL, or None for the published file
    url       where the published file is; None when it is only ever packaged
    filename  the published file's name, by which it is looked for; by default the end of ``url``
    sha256    digest of the published file.  It is checked wherever that file was found, but never
              against a ``source``, which is the user's own choice
    page      where the user may fetch a file that has no ``url`` because of its licence

    Raises `CheckpointError` that names the URL, the folders searched and the option to set.
    """
    if source is not None:
        text = str(source)
        if _is_url(text):
            # Two addresses may end in one name: the cache tells them apart.
            tag = hashlib.sha256(text.encode()).hexdigest()[:8]
            return _download(text, _cache() / f"{tag}-{_name_in(text)}", None)
        path = Path(text).expanduser()
        if not path.is_file():
            raise CheckpointError(f"no such checkpoint: {path}")
        return path
    filename = filename or _name_in(url or "")
    assert filename, "neither a source nor a published file"
    for folder in _folders():
        path = folder / filename
        if path.is_file():
            _check_digest(path, sha256)
            return path
    if url is None:
        searched = ", ".join(map(str, _folders()))
        source_hint = f"fetch it from {page} if its licence suits you, and " if page else ""
        raise CheckpointError(
            f"no checkpoint {filename} in {searched}; {source_hint}give its path as the option "
            "'weights'"
        )
    return _download(url, _cache() / filename, sha256)


def file_metadata(path: Path | str) -> dict[str, str]:
    """What a ``.safetensors`` file says of itself; of other files nothing is known."""
    if Path(path).suffix != ".safetensors":
        return {}
    with safe_open(str(path), framework="pt") as file:
        return dict(file.metadata() or {})


def load_state_dict(path: Path | str, *, inside: str | None = None) -> dict[str, Tensor]:
    """The tensors of a ``.safetensors`` or torch checkpoint, on the CPU.

    inside  the entry under which the tensors stand in a file that holds other things too; a file
            without that entry is taken to hold nothing but the tensors

    Torch files are read with ``weights_only=True``: a checkpoint never runs code.  Raises
    `CheckpointError` when the file is damaged or holds anything but tensors by name.
    """
    path = Path(path)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # torch's own message advises to switch the protection off.
        raise CheckpointError(
            f"{path}: not a checkpoint that can be read: it is damaged, or holds other objects "
            "than tensors, which could run code; save its state dict as .safetensors"
        ) from error
    except FileNotFoundError:
        raise CheckpointError(f"no such checkpoint: {path}") from None
    except _UNREADABLE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{path}: not a checkpoint that can be read ({reason})") from error
    if isinstance(state, dict) and inside in state:
        state = state[inside]
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise CheckpointError(f"{path}: not a state dict (tensors by name)")
    return state


def _folders() -> Iterator[Path]:
    if folder := os.environ.get(FOLDER_VARIABLE):
        yield Path(folder).expanduser()
    yield PACKAGED
    yield _cache()


def _cache() -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints"


def _is_url(text: str) -> bool:
    return text.startswith(("http://", "https://", "file://"))


def _name_in(url: str) -> str:
    return Path(urlsplit(url).path).name


def _check_digest(path: Path, sha256: str | None) -> None:
    if sha256 is None:
        return
    found = sha256_of(path)
    if found != sha256:
        raise CheckpointError(
            f"{path} is not the published file (SHA-256 {found}, expected {sha256}); delete it, "
            "or name it with the option 'weights' if you mean to use it"
        )


def _download(url: str, path: Path, sha256: str | None) -> Path:
    """Download to ``path`` unless it is there; whole and with the right digest, or not at all."""
    if path.is_file():
        return path
    try:
        fetch(url, path, sha256)
    except OSError as error:
        raise CheckpointError(
            f"cannot download {url} ({error}); fetch it by other means and save it as {path}, or "
            f"put it into a folder that {FOLDER_VARIABLE} names, or give its path as the option "
            "'weights' of a conf (weights_path= of load_DaD)"
        ) from error
    return path
