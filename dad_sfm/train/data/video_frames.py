"""Data plugs: frames of games and videos, one by one, or two of one clip that lie apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from ...core.config import ConfigError
from ...video.clips import Clip, Split, read_clips
from ...video.distractors import Noise, with_bars
from ...video.frames import FRAME
from .batch import DataConf, TensorBatch

WINDOW = 100  # frames, of which a pair has one of the first and one of the second half


@dataclass(frozen=True)
class FramesConf(DataConf):
    """Which frames.

    data_dir    folder of the data set (see `dad_sfm.video.clips`)
    env         name of the game, or of the folder of videos
    noise_type  bars across each frame
    split       what is trained on; runs are judged on "test"
    """

    name: ClassVar[str] = "frames"

    size: int = FRAME
    batch: int = 32
    data_dir: str = "data"
    env: str = "mspacman"
    noise_type: Noise = "none"
    split: Split = "train"


@dataclass(frozen=True)
class FramePairsConf(FramesConf):
    name: ClassVar[str] = "frame-pairs"

    batch: int = 64


@dataclass(frozen=True)
class FrameBatch(TensorBatch):
    """frames  B×3×H×W RGB: uint8 on the host, float32 in [0, 1] on the device"""

    frames: Tensor

    def to(self, device: torch.device) -> FrameBatch:
        return FrameBatch(_float(self.frames, device))


@dataclass(frozen=True)
class FramePairBatch(TensorBatch):
    """source, target  of one clip, as in `FrameBatch`"""

    source: Tensor
    target: Tensor

    def to(self, device: torch.device) -> FramePairBatch:
        return FramePairBatch(_float(self.source, device), _float(self.target, device))


class VideoFrames:
    """Frames drawn from all clips, each as often as any other.

    Raises `ConfigError` where there are none.
    """

    Conf = FramesConf

    def __init__(self, photos: Sequence[Path | str], conf: FramesConf, *, seed: int) -> None:
        self.conf, self.seed = conf, seed
        self.clips = read_clips(conf.data_dir, conf.split, conf.env, size=conf.size)
        self._ends = np.cumsum([len(clip.frames) for clip in self.clips])

    def batch(self, step: int) -> FrameBatch:
        rng = np.random.default_rng((self.seed, step, 5))
        return FrameBatch(_stacked([self._drawn(rng) for _ in range(self.conf.batch)]))

    def _drawn(self, rng: np.random.Generator) -> np.ndarray:
        clip, number = _pick(rng, self._ends)
        frame = self.clips[clip].frames[number]
        return with_bars(frame, self.conf.noise_type, rng)


class VideoFramePairs:
    """Pairs (t, t′) of windows of 100 frames: t in [0, 48], t′ in [50, 98].

    Raises `ConfigError` where no clip is as long.
    """

    Conf = FramePairsConf

    def __init__(self, photos: Sequence[Path | str], conf: FramePairsConf, *, seed: int) -> None:
        self.conf, self.seed = conf, seed
        clips = read_clips(conf.data_dir, conf.split, conf.env, size=conf.size)
        self.clips: list[Clip] = [clip for clip in clips if len(clip.frames) >= WINDOW]
        if not self.clips:
            raise ConfigError(
                f"{conf.data_dir}: no clip of {conf.env} has {WINDOW} frames, which pairs need"
            )
        self._windows = np.cumsum([len(clip.frames) - WINDOW + 1 for clip in self.clips])

    def batch(self, step: int) -> FramePairBatch:
        rng = np.random.default_rng((self.seed, step, 6))
        pairs = [self._drawn(rng) for _ in range(self.conf.batch)]
        source, target = zip(*pairs, strict=True)
        return FramePairBatch(_stacked(source), _stacked(target))

    def _drawn(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        clip, start = _pick(rng, self._windows)
        frames = self.clips[clip].frames
        one, other = start + int(rng.integers(49)), start + int(rng.integers(50, 99))
        noise = self.conf.noise_type
        return with_bars(frames[one], noise, rng), with_bars(frames[other], noise, rng)


def _pick(rng: np.random.Generator, ends: np.ndarray) -> tuple[int, int]:
    """One of many things at random: the group that it is in, and its number there; ``ends`` are
    the cumulated sizes of the groups."""
    number = int(rng.integers(ends[-1]))
    group = int(np.searchsorted(ends, number, side="right"))
    return group, number - (int(ends[group - 1]) if group else 0)


def _stacked(frames: Sequence[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2)


def _float(frames: Tensor, device: torch.device) -> Tensor:
    return frames.to(device, non_blocking=True).float() / 255
