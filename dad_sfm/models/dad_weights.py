"""Weights of the DaD family: which file belongs to which variant."""

from __future__ import annotations

from pathlib import Path

from .pretrained import Published

_RELEASE = "https://github.com/Parskatt/dad/releases/download/v0.1.0"
PUBLISHED = {
    "dad": Published("dad", f"{_RELEASE}/dad.pth"),
    "light": Published("dad-light", f"{_RELEASE}/dad_light.pth"),
    "dark": Published("dad-dark", f"{_RELEASE}/dad_dark.pth"),
    "nano": Published("dad-nano", filename="dad_nano.safetensors"),
    "nano-light": Published("dad-nano-light", filename="dad_nano_light.safetensors"),
    "nano-dark": Published("dad-nano-dark", filename="dad_nano_dark.safetensors"),
}


def find_weights(variant: str, source: Path | str | None = None) -> Path:
    """The local file of a variant's published checkpoint, or of ``source`` instead.

    variant  "dad", "light", "dark"; "nano", "nano-light" or "nano-dark"
    source   a local path or a URL; None for the published file, downloaded if need be

    Raises `CheckpointError` that says what to do when the file cannot be had.
    """
    return PUBLISHED[variant].find(source)
