"""What the installed kornia is too old for.

The newest kornia for Python 3.10 is 0.8.2, which lacks networks that plug-ins stand on.  They are
refused when they are made, so that all others work there.
"""

from __future__ import annotations

import platform
import re
from importlib import metadata

_PYTHON = "3.11"  # needed by every kornia that a plug-in may be refused for


def has_kornia(least: str) -> bool:
    """Whether the installed kornia is the release ``least`` ("0.9") or newer."""
    return _release(metadata.version("kornia")) >= _release(least)


def require_kornia(least: str, name: str) -> None:
    """Raises ImportError that says what to do unless `has_kornia`; ``name`` is the plug-in's."""
    if not has_kornia(least):
        raise ImportError(
            f"{name} needs kornia>={least}, which needs Python {_PYTHON}; here is kornia "
            f"{metadata.version('kornia')} on Python {platform.python_version()}"
        )


def _release(version: str) -> tuple[int, ...]:
    """Its first three numbers, as many as there are: what follows them is no release's."""
    found = re.match(r"\d+(\.\d+){0,2}", version)
    return tuple(map(int, found[0].split("."))) if found else ()
