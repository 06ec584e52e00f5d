"""hloc's options in our words, and a sentence for those that are not offered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..core.config import ConfigError
from ..io.text_lists import read_names

Names = Path | str | Iterable[str]


def refuse(**given: Any) -> None:
    """Raise `ConfigError` that names the first option which is set, and what to do."""
    for name, (value, instead) in given.items():
        if value:
            raise ConfigError(f"{name} is not offered: {instead}")


def listed_names(listed: Names) -> list[str]:
    """Names of a list, or of the file of one."""
    if isinstance(listed, (str, Path)):
        return read_names(listed)
    return [Path(name).as_posix() for name in listed]


def camera_mode(mode: Any) -> str:
    """``pycolmap.CameraMode.PER_FOLDER``, or its name -> "per_folder"."""
    return str(getattr(mode, "name", mode)).lower()


def camera_options(image_options: Mapping[str, Any] | None) -> dict[str, Any]:
    """``pycolmap.ImageReaderOptions`` as a dict -> options of `database.main`."""
    options = dict(image_options or {})
    found = {"camera_model": options.pop("camera_model", "SIMPLE_RADIAL")}
    params = options.pop("camera_params", None)
    if params:
        found["camera_params"] = [float(value) for value in str(params).split(",")]
    if options:
        raise ConfigError(
            f"image_options: {', '.join(map(repr, options))} not offered; known: 'camera_model', "
            "'camera_params'"
        )
    return found
