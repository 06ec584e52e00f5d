"""What software a result came from."""

from __future__ import annotations

import platform
from importlib import metadata

from .._version import __version__

_PACKAGES = ("torch", "pycolmap", "kornia", "numpy", "h5py", "pillow", "poselib")


def versions() -> dict[str, str]:
    """Versions by name.  Packages are asked for their metadata, not imported."""
    own = {"dad_sfm": __version__, "python": platform.python_version()}
    return {**own, **{n: _version(n) for n in _PACKAGES}, "platform": platform.platform()}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
