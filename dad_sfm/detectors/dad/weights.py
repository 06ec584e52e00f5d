"""Weights of the DaD family: which file belongs to which variant, and strictly into the network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from ...checkpoints import CheckpointError, load_state_dict, resolve, sha256_of


@dataclass(frozen=True)
class Published:
    """A published checkpoint: its file name, and its address unless it comes with the package."""

    filename: str
    url: str | None = None


_RELEASE = "https://github.com/Parskatt/dad/releases/download/v0.1.0"
PUBLISHED = {
    "dad": Published("dad.pth", f"{_RELEASE}/dad.pth"),
    "light": Published("dad_light.pth", f"{_RELEASE}/dad_light.pth"),
    "dark": Published("dad_dark.pth", f"{_RELEASE}/dad_dark.pth"),
    "nano": Published("dad_nano.safetensors"),
    "nano-light": Published("dad_nano_light.safetensors"),
    "nano-dark": Published("dad_nano_dark.safetensors"),
}


def find_weights(variant: str, source: Path | str | None = None) -> Path:
    """The local file of a variant's published checkpoint, or of ``source`` instead.

    variant  "dad", "light", "dark"; "nano", "nano-light" or "nano-dark"
    source   a local path or a URL; None for the published file, downloaded if need be

    Raises `CheckpointError` that says what to do when the file cannot be had.
    """
    published = PUBLISHED[variant]
    return resolve(source, url=published.url, filename=published.filename)


def load_weights(network: nn.Module, path: Path | str) -> str:
    """Fill ``network`` with a checkpoint, strictly; returns the SHA-256 of the file.

    The file is ``.safetensors`` or ``.pth`` and holds tensors only; half precision is cast to the
    type of the network.  Raises `CheckpointError` that names the keys which do not fit.
    """
    state = load_state_dict(path)
    own = network.state_dict()
    problems = {
        "missing": sorted(own.keys() - state.keys()),
        "unexpected": sorted(state.keys() - own.keys()),
        "of another shape": sorted(
            f"{key} {tuple(state[key].shape)}, expected {tuple(own[key].shape)}"
            for key in own.keys() & state.keys()
            if own[key].shape != state[key].shape
        ),
        "not finite": sorted(key for key, v in state.items() if not torch.isfinite(v).all()),
    }
    found = [f"{what}: {', '.join(keys)}" for what, keys in problems.items() if keys]
    if found:
        kind = type(network).__name__
        raise CheckpointError(f"{path}: not a checkpoint of {kind}; " + "; ".join(found))
    network.load_state_dict(state)
    return sha256_of(path)
