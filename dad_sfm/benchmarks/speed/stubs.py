"""The pipeline around networks that do nothing: what it costs itself, and whether they wait."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...core.types import Features
from ...execution.loading import Photo
from ...execution.streaming import stream_features
from ...io.store import FeatureWriter
from .timing import Timing, interleaved

POINTS, DIM = 256, 128
SIZE = (64, 48)


class StubExtractor:
    """Random features after ``seconds`` per photo, as a device gives them that computes alone."""

    def __init__(self, device: str, seconds: float = 0.0) -> None:
        self.device = torch.device(device)
        self._seconds, self.busy = seconds, 0.0
        rng = np.random.default_rng(0)
        keypoints = rng.uniform(0, 48, (POINTS, 2)).astype(np.float32)
        descriptors = rng.standard_normal((POINTS, DIM)).astype(np.float32)
        scores = np.linspace(1, 0, POINTS, dtype=np.float32)
        self._features = Features(keypoints, scores, SIZE, descriptors=descriptors)

    def __call__(self, photos: Sequence[Photo]) -> list[Features]:
        start = time.perf_counter()
        if self._seconds:
            time.sleep(self._seconds * len(photos))
        self.busy += time.perf_counter() - start
        return [self._features] * len(photos)


def pipeline_cost(work: Path, counts: Sequence[int], *, repeats: int) -> dict[str, Timing]:
    """Seconds per image of collections of so many images, all but decoding and the network."""

    def run(count: int) -> None:
        _stream(StubExtractor("cpu"), count, work / f"{count}.h5", workers=1)

    runs = {f"{count} images": partial(run, count) for count in counts}
    items = {f"{count} images": count for count in counts}
    return interleaved(runs, items=items, repeats=repeats)


def busy_share(work: Path, *, images: int, network: float, decoding: float, workers: int) -> float:
    """The share of the time in which a device works whose network takes ``network`` seconds per
    photo, with so many threads that decode in ``decoding`` seconds each: 1 if it never waits."""
    extractor = StubExtractor("meta", network)  # any device that is not the CPU
    start = time.perf_counter()
    _stream(extractor, images, work / "busy.h5", workers=workers, decoding=decoding)
    return extractor.busy / (time.perf_counter() - start)


def _stream(extractor: Any, count: int, path: Path, *, workers: int, decoding: float = 0.0) -> None:
    W, H = SIZE
    photo = Photo(np.zeros((3, H, W), np.uint8), SIZE)

    def load(_: str) -> Photo:
        if decoding:
            time.sleep(decoding)
        return photo

    names = (f"{i:06d}.jpg" for i in range(count))
    with FeatureWriter(path, {}, overwrite=True) as writer:
        for name, found in stream_features(load, extractor, names, workers=workers):
            assert isinstance(found, Features)
            writer.write(name, found)
