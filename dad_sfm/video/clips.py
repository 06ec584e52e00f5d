"""Data sets of frames: ``DIR/train/GAME/*.npz`` and ``DIR/test/GAME/*.npz``.

The public layout: each file holds consecutive frames as ``frames`` or ``observations``, T×H×W×3
uint8 RGB of any size.  Files of ours hold the console's memory as well (``ram``, T×128 uint8).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..core.atomic import atomic_write
from ..core.config import ConfigError
from ..io.npz_archive import ArchiveError, read_npz
from .frames import FRAME, resize_nearest
from .games import GAMES

Split = Literal["train", "test"]
_KEYS = ("frames", "observations")


@dataclass(frozen=True)
class Clip:
    """Consecutive frames: T×size×size×3 uint8, and the memory behind them where it is known."""

    frames: np.ndarray
    ram: np.ndarray | None = None


def clips_folder(data_dir: Path | str, split: Split, env: str) -> Path:
    """Where a data set keeps the clips of a game, or of videos of any name."""
    return Path(data_dir) / split / (GAMES[env].folder if env in GAMES else env)


def read_clips(data_dir: Path | str, split: Split, env: str, *, size: int = FRAME) -> list[Clip]:
    """All clips of a split, in the order of the files' names.

    Raises `ConfigError` where there are none, `ArchiveError` for a file that holds no frames.
    """
    folder = clips_folder(data_dir, split, env)
    paths = sorted(folder.rglob("*.npz"))
    if not paths:
        raise ConfigError(
            f"no frames in {folder} (*.npz); make some: dad-sfm video record --env {env} "
            f"--data-dir {data_dir}"
        )
    return [_read(path, size) for path in paths]


def _read(path: Path, size: int) -> Clip:
    found = read_npz(path, set(), optional=(*_KEYS, "ram"))
    frames = next((found[key] for key in _KEYS if key in found), None)
    if frames is None:
        raise ArchiveError(f"{path}: holds neither frames nor observations")
    if frames.ndim != 4 or frames.shape[-1] != 3 or not len(frames):
        raise ArchiveError(f"{path}: frames of shape {frames.shape} are not T×H×W×3")
    if frames.dtype != np.uint8:
        raise ArchiveError(f"{path}: frames are {frames.dtype}, not uint8")
    ram = found.get("ram")
    if ram is not None and ram.shape != (len(frames), 128):
        raise ArchiveError(f"{path}: {len(frames)} frames with a memory of shape {ram.shape}")
    return Clip(resize_nearest(frames, size), ram)


def write_clip(folder: Path, number: int, clip: Clip) -> Path:
    """Write one clip, whole or not at all; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{number:05d}.npz"
    arrays: dict[str, Any] = {"frames": clip.frames}
    if clip.ram is not None:
        arrays["ram"] = clip.ram
    with atomic_write(target) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **arrays)
    return target
