"""Downloads: whole and with the right digest, or not at all; one that was cut off resumes.

``DAD_SFM_OFFLINE=1``  nothing is downloaded, on a machine that must not, or cannot
``DAD_SFM_MIRROR``     address of a folder of checkpoints that is asked first, by the file's name
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

from ..core.digest import sha256_of
from ..core.progress import progress

logger = logging.getLogger(__name__)

OFFLINE_VARIABLE, MIRROR_VARIABLE = "DAD_SFM_OFFLINE", "DAD_SFM_MIRROR"

_TIMEOUT = 30.0  # seconds without a byte
_ATTEMPTS = 3  # of an address that breaks off
_BLOCK = 1 << 20
_ALLOWED = ContextVar("downloads", default=True)


class DownloadError(OSError):
    """A file could not be downloaded.  The message gives the reason of each address."""


@contextmanager
def offline() -> Iterator[None]:
    """Within it, nothing is downloaded: `DownloadError`."""
    token = _ALLOWED.set(False)
    try:
        yield
    finally:
        _ALLOWED.reset(token)


def fetch(url: str, path: Path, sha256: str | None = None) -> None:
    """Download a file to ``path``, which appears when it is whole.

    sha256  what its digest must be

    What has arrived of it is in ``FILE.part``, from which the next attempt resumes.  Raises
    `DownloadError`.
    """
    if os.environ.get(OFFLINE_VARIABLE, "0") not in ("", "0") or not _ALLOWED.get():
        raise DownloadError("offline")
    path.parent.mkdir(parents=True, exist_ok=True)
    reasons = []
    for address in _addresses(url, path.name):
        reason = _attempt(address, path, sha256)
        if reason is None:
            return
        reasons.append(reason if address == url else f"{address}: {reason}")
    raise DownloadError("; ".join(reasons))


def _attempt(url: str, path: Path, sha256: str | None) -> str | None:
    """Download from one address; returns why it could not be done."""
    try:
        _fetch(url, path, sha256)
    except (HTTPException, OSError, ValueError) as error:
        return str(error)
    return None


def _addresses(url: str, name: str) -> Iterator[str]:
    if mirror := os.environ.get(MIRROR_VARIABLE):
        yield f"{mirror.rstrip('/')}/{quote(name)}"
    yield url


def _fetch(url: str, path: Path, sha256: str | None) -> None:
    part = path.with_name(f"{path.name}.part")
    for attempt in range(_ATTEMPTS):
        try:
            _append(url, part)
            break
        except HTTPError:
            raise  # an answer, which asking again would not change
        except (HTTPException, OSError) as error:
            if attempt == _ATTEMPTS - 1:
                raise
            logger.info("%s broke off (%s), again", url, error)
    if sha256 is not None and (found := sha256_of(part)) != sha256:
        part.unlink()
        raise ValueError(f"what came has SHA-256 {found}, expected {sha256}")
    part.replace(path)


def _append(url: str, part: Path) -> None:
    """Download what is missing of a file.  Raises OSError when the connection breaks off."""
    have = part.stat().st_size if part.exists() else 0
    request = Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response: Any = urlopen(request, timeout=_TIMEOUT)
    except HTTPError as error:
        if error.code == 416 and have:  # nothing is missing, or the file is another one by now
            total = error.headers.get("Content-Range", "").rpartition("/")[2]
            if total == str(have):
                return
            part.unlink()
            return _append(url, part)
        raise
    with response:
        resumed = getattr(response, "status", None) == 206
        have = have if resumed else 0
        length = response.headers.get("Content-Length")
        end = None if length is None else int(length) + have
        with (
            part.open("ab" if resumed else "wb") as file,
            progress(None, part.stem, total=end, initial=have, unit="B", unit_scale=True) as bar,
        ):
            while block := response.read(_BLOCK):
                file.write(block)
                bar.update(len(block))
    if end is not None and part.stat().st_size != end:
        raise ConnectionError(f"{part.stat().st_size} of {end} bytes came")
