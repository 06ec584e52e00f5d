"""Matched points of neighbouring frames: by descriptors, or by following the points (KLT)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .. import extract_features, match_features
from ..core.progress import progress
from ..geometry.pixel_frames import colmap_from_px
from ..io.images import read_image
from ..io.store import FeatureReader, MatchReader
from .klt import KLTConf, track
from .sequence import FrameSequence


@dataclass(frozen=True)
class Links:
    """Keypoints of the frames, and which of them are the same from one frame to the next.

    points  for each frame N×2 float64, pixel-index frame
    steps   for each frame but the last one, N rows of the next frame's points, or -1
    """

    points: list[np.ndarray]
    steps: list[np.ndarray]
    details: dict[str, Any] = field(default_factory=dict)

    def matches(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Matched points of neighbouring frames, K×2 float64 each, COLMAP frame."""
        found = []
        for (a, b), step in zip(pairwise(self.points), self.steps, strict=True):
            rows = np.flatnonzero(step >= 0)
            found.append((colmap_from_px(a[rows]), colmap_from_px(b[step[rows]])))
        return found


def by_descriptors(
    sequence: FrameSequence,
    features: dict[str, Any],
    matcher: dict[str, Any],
    folder: Path,
    *,
    device: str = "auto",
) -> Links:
    """Extract presets' features and match neighbouring frames; files go into ``folder``."""
    path, names = folder / "features.h5", list(sequence.names)
    extract_features.main(
        features, sequence.image_dir, feature_path=path, image_list=names, device=device
    )
    pairs = list(pairwise(names))
    match_path = match_features.main(
        matcher, pairs, path, matches=folder / "matches.h5",
        image_dir=sequence.image_dir, device=device,
    )  # fmt: skip
    with FeatureReader(path) as reader, MatchReader(match_path) as matches:
        points = [
            reader.read(name, descriptors=False).keypoints_px.astype(np.float64) for name in names
        ]
        steps = []
        for (a, b), here in zip(pairs, points, strict=False):
            step = np.full(len(here), -1)
            rows = matches.read(a, b).indices
            step[rows[:, 0]] = rows[:, 1]
            steps.append(step)
        return Links(points, steps, {"features": reader.provenance, "matcher": matcher["model"]})


def by_klt(
    sequence: FrameSequence,
    features: dict[str, Any],
    folder: Path,
    conf: KLTConf,
    *,
    renew: float = 0.7,
    least_px: float = 5.0,
    device: str = "auto",
) -> Links:
    """Follow a detector's points by `klt.track`.

    Points that are lost are replaced by keypoints of the frame, not nearer than ``least_px`` to any
    that is followed, as soon as fewer than the share ``renew`` of the first frame's are left.
    """
    path = folder / "features.h5"
    extract_features.main(
        features, sequence.image_dir, feature_path=path, image_list=list(sequence.names),
        device=device,
    )  # fmt: skip
    with FeatureReader(path) as reader:
        detected = [
            reader.read(name, descriptors=False).keypoints_px.astype(np.float64)
            for name in sequence.names
        ]
        provenance = reader.provenance
    points, steps = [detected[0]], []
    frames = [_grey(sequence.image_dir / name) for name in sequence.names[:1]]
    for number in progress(range(1, len(sequence.names)), "KLT", unit="frame"):
        frames = [frames[-1], _grey(sequence.image_dir / sequence.names[number])]
        here = torch.from_numpy(points[-1]).float()
        moved, found = track(frames[0], frames[1], here, conf)
        kept = moved[found].double().numpy()
        step = np.full(len(here), -1)
        step[found.numpy()] = np.arange(len(kept))
        steps.append(step)
        if len(kept) < renew * len(detected[0]):
            kept = renewed(kept, detected[number], len(detected[0]), least_px)
        points.append(kept)
    return Links(points, steps, {"features": provenance, "klt": asdict(conf)})


def renewed(kept: np.ndarray, detected: np.ndarray, most: int, least_px: float) -> np.ndarray:
    """Points (K×2) and, behind them, the best detected ones that are far enough from them, up to
    ``most`` in all."""
    if not len(kept):
        return detected[:most]
    gaps = np.linalg.norm(detected[:, None] - kept[None], axis=-1).min(axis=1)
    return np.concatenate([kept, detected[gaps >= least_px][: max(0, most - len(kept))]])


def _grey(path: Path) -> torch.Tensor:
    pixels = np.asarray(read_image(path).convert("L"), np.float32)
    return torch.from_numpy(pixels) / 255
