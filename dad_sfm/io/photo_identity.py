"""Which photo a file is: a digest of its bytes.

A name says where a photo lies, not which photo it is: frames are extracted again, photos are
undistorted in place, two folders hold equal names.  Neither do size and time of change tell:
uncompressed frames are all of one size, and copies keep the time.
"""

from __future__ import annotations

from pathlib import Path

from ..core.digest import sha256_of
from .images import ImageError


def identify(path: Path | str) -> str:
    """The identity of a photo: ``sha256:`` and the digest of the file's content.

    Reads the whole file, which takes less than decoding it.  Raises `ImageError`.
    """
    try:
        return f"sha256:{sha256_of(path)}"
    except FileNotFoundError:
        raise ImageError(f"{path}: no such file") from None
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error})") from error
