"""Installed packages: versions out of range, and pairs that are known not to go together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import metadata

from ..core.versions import versions
from .finding import Finding

_PYCOLMAP_WHEELS = ("pycolmap", "pycolmap-cuda12", "pycolmap-cuda")
_TORCHVISION_BEHIND = 15  # torchvision 0.n is built for torch 2.(n - 15), since 2.0


def installation() -> Iterator[Finding]:
    """Versions of what a run needs, and what is wrong with them."""
    found = versions()
    text = ", ".join(f"{name} {version}" for name, version in found.items())
    yield Finding("ok", "versions", text)
    installed = {d.name.lower(): d.version for d in metadata.distributions() if d.name}
    yield from unmet(metadata.requires("dad_sfm") or [], installed)
    yield from conflicts(installed)


def unmet(requirements: list[str], installed: Mapping[str, str]) -> Iterator[Finding]:
    """Requirements ``name>=version`` that the installed versions do not meet; extras do not count.

    installed  versions by name, lower case
    """
    for line in requirements:
        requirement, _, marker = line.partition(";")
        name, _, least = (part.strip() for part in requirement.partition(">="))
        if "extra ==" in marker or not least or not _applies(marker):
            continue
        version = installed.get(name.lower())
        if version is None:
            yield Finding("problem", name, "not installed", f"pip install '{requirement.strip()}'")
        elif _numbers(version) < _numbers(least):
            yield Finding(
                "problem", name, f"{version} is too old", f"pip install '{requirement.strip()}'"
            )


def conflicts(installed: Mapping[str, str]) -> Iterator[Finding]:
    """Known bad pairs among versions by name, lower case."""
    wheels = [name for name in _PYCOLMAP_WHEELS if name in installed]
    if len(wheels) > 1:
        yield Finding(
            "problem",
            "pycolmap",
            f"{' and '.join(wheels)} overwrite each other's files",
            f"pip uninstall {' '.join(wheels)}, then install one of them",
        )
    torch, vision = installed.get("torch"), installed.get("torchvision")
    if torch and vision and _numbers(torch)[0] == 2:
        wanted = _numbers(torch)[1] + _TORCHVISION_BEHIND
        if _numbers(vision)[:2] != (0, wanted):
            yield Finding(
                "problem",
                "torchvision",
                f"torchvision {vision} is not built for torch {torch} and fails at import",
                f"pip install 'torchvision==0.{wanted}.*', or uninstall it",
            )
    kornia = installed.get("kornia")
    if kornia and _numbers(kornia) < (0, 9):
        yield Finding(
            "note",
            "kornia",
            f"{kornia} lacks some detectors (aliked and xfeat before 0.8.3; keynet, affine before "
            "0.9)",
            "Python 3.11 or newer, and pip install 'kornia>=0.9'",
        )


def _applies(marker: str) -> bool:
    """Whether a marker on the version of Python holds; `python_version >= "3.11"`."""
    import sys

    name, _, bound = marker.strip().partition(" ")
    if name != "python_version":
        return True
    sign, _, text = bound.partition(" ")
    least = _numbers(text.strip("\"'"))
    here = sys.version_info[: len(least)]
    return here >= least if sign == ">=" else here < least


def _numbers(version: str) -> tuple[int, ...]:
    """``2.13.0+cpu`` as (2, 13, 0); what is no number ends it."""
    found = []
    for part in version.split("+")[0].split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        found.append(int(digits))
    return tuple(found)
