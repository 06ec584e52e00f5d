"""What readers of feature and match files have in common."""

from __future__ import annotations

import json
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import Self

from .errors import StoreError
from .layers import opened


class Reader:
    """Reads a file, ours or another tool's, together with the journal of a run that was cut off.

    Raises FileNotFoundError, and `StoreError` for a file that cannot be used.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._stack = ExitStack()
        self._file = self._stack.enter_context(opened(self.path))

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """What made the file; empty for a file of another tool."""
        text = self._file.provenance
        try:
            found = json.loads(text) if text is not None else {}
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise StoreError(f"{self.path}: the attribute 'provenance' is not what dad_sfm writes")
        return found

    @property
    def failures(self) -> dict[str, str]:
        """What the latest run could not use (images, or pairs), with the reason."""
        return self._file.failures

    def close(self) -> None:
        """Close the file."""
        self._stack.close()

    def _read_integers(self, key: str, array: str, *, most: int) -> np.ndarray:
        """Read integers between -1 and ``most``."""
        found = self._file.read(key, array)
        if found.dtype.kind not in "iu" or found.ndim != 1:
            raise StoreError(f"{self.path}: {array} of {key!r} is not a list of integers")
        if len(found) and (found.min() < -1 or found.max() > most):
            raise StoreError(f"{self.path}: {array} of {key!r} holds numbers out of range")
        return found

    def _read_column(self, key: str, array: str, *, count: int) -> np.ndarray:
        """Read one float32 number per keypoint."""
        found = self._file.read(key, array)
        if found.size != count:
            raise StoreError(
                f"{self.path}: {array} of {key!r} has shape {found.shape}; expected {count} numbers"
            )
        return found.reshape(-1).astype(np.float32)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def as_text(value: Any) -> str | None:
    """An attribute that is text; None for anything else that a file may hold in its place."""
    return value if isinstance(value, str) else None
