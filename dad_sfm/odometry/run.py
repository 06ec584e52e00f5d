"""Odometry of a sequence: tracks, path, errors, and the files that show them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .. import extract_features, match_features
from ..core.config import ConfigError
from ..evaluation.track_task import track_lengths
from .drawing import draw_path, draw_path_video, draw_video
from .klt import KLTConf
from .matching import Links, by_descriptors, by_klt
from .motion import errors_of, path_of
from .sequence import FrameSequence, write_poses

AFTER = (1, 2, 4, 8, 16)


@dataclass(frozen=True)
class OdometryConf:
    """How a path is found.

    features       preset of `extract_features`; ``max_keypoints`` and ``weights`` of its detector
    tracking       link keypoints by their descriptors, or follow them (KLT)
    matcher        preset of `match_features`
    max_error_px   of the epipolar geometry
    min_motion     true motions shorter than this, in metres, are no motion
    video          write videos of the keypoints and of the path
    """

    features: str = "dad-nano+rootsift"
    max_keypoints: int | None = None
    weights: str | None = None
    tracking: Literal["descriptors", "klt"] = "descriptors"
    matcher: str = "NN-ratio"
    max_error_px: float = 1.0
    min_motion: float = 0.1
    video: bool = True


def run(
    sequence: FrameSequence, out: Path | str, conf: OdometryConf, *, device: str = "auto"
) -> Path:
    """Find the path of a camera; returns ``out/odometry.json``.

    Beside it: ``poses.txt`` and, with a truth, ``truth.txt`` (KITTI's format, which evo reads),
    ``trajectory.svg``, ``trajectory.mp4``, ``keypoints.mp4``, ``features.h5`` and ``matches.h5``.
    """
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    features = extract_features.preset(conf.features)
    given = {"max_keypoints": conf.max_keypoints, "weights": conf.weights}
    given = {key: value for key, value in given.items() if value is not None}
    features = {**features, "model": {**features["model"], **given}}
    if conf.tracking == "klt":
        links = by_klt(sequence, features, folder, KLTConf(), device=device)
    elif conf.tracking == "descriptors":
        matcher = match_features.preset(conf.matcher)
        links = by_descriptors(sequence, features, matcher, folder, device=device)
    else:
        raise ConfigError(f"tracking: {conf.tracking!r} is neither descriptors nor klt")
    poses, failed = path_of(
        links.matches(),
        sequence.camera,
        truth=sequence.truth,
        max_error_px=conf.max_error_px,
        min_motion=conf.min_motion,
    )
    write_poses(folder / "poses.txt", poses)
    document: dict[str, Any] = {
        "frames": len(sequence.names),
        "conf": asdict(conf),
        "scale": "up to scale" if sequence.truth is None else "from the truth",
        "frames_without_motion": [sequence.names[number] for number in failed],
        "tracks": track_statistics(links),
        **links.details,
    }
    if sequence.truth is not None:
        write_poses(folder / "truth.txt", sequence.truth)
        document["errors"] = asdict(errors_of(poses, sequence.truth))
    draw_path(folder / "trajectory.svg", poses, sequence.truth)
    if conf.video:
        draw_video(folder / "keypoints.mp4", sequence, links)
        draw_path_video(folder / "trajectory.mp4", poses, sequence.truth)
    path = folder / "odometry.json"
    path.write_text(json.dumps(document, indent=1, default=str) + "\n", encoding="utf-8")
    return path


def track_statistics(links: Links) -> dict[str, float]:
    """Length of the tracks in frames, over the points of every frame but the last one, and the
    share of them that is alive after some frames."""
    lengths = [track_lengths(links.steps[first:]) for first in range(len(links.steps))]
    every = np.concatenate(lengths)
    statistics = {
        "points": float(np.mean([len(points) for points in links.points])),
        "mean_length": float(every.mean()) if len(every) else 0.0,
        "median_length": float(np.median(every)) if len(every) else 0.0,
    }
    for k in AFTER:
        known = lengths[: max(0, len(lengths) - k + 1)]
        if known and sum(map(len, known)):
            statistics[f"alive_{k}"] = float((np.concatenate(known) > k).mean())
    return statistics
