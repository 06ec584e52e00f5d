"""A folder of videos as clips of a data set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..core.config import ConfigError
from ..io.video_frames import all_frames, is_video
from .clips import Clip, clips_folder, write_clip
from .frames import FRAME, resize_nearest

TEST_EVERY = 10  # clips, of which the first is for testing


def import_videos(
    videos: Path | str, data_dir: Path | str, name: str, *, length: int = 500, size: int = FRAME
) -> Path:
    """Cut all videos of a folder into clips of ``length`` frames, of squares of ``size`` px.

    Every tenth clip is for testing.  Returns the data set's folder.  Raises `ConfigError` where
    there is no video, FileExistsError where ``name`` holds clips already; for the rest see
    `all_frames`.
    """
    paths = sorted(path for path in Path(videos).rglob("*") if is_video(path))
    if not paths:
        raise ConfigError(f"{videos}: no videos in it")
    folders = (clips_folder(data_dir, "test", name), clips_folder(data_dir, "train", name))
    for folder in folders:
        if any(folder.glob("*.npz")):
            raise FileExistsError(f"{folder} holds clips already; give another name or delete it")
    number = 0
    for path in paths:
        for clip in _clips(path, length, size):
            write_clip(folders[number % TEST_EVERY > 0], number, clip)
            number += 1
    return Path(data_dir)


def _clips(path: Path, length: int, size: int) -> Iterator[Clip]:
    frames: list[np.ndarray] = []
    for frame in all_frames(path):
        frames.append(resize_nearest(frame, size))
        if len(frames) == length:
            yield Clip(np.stack(frames))
            frames = []
    if frames:
        yield Clip(np.stack(frames))
