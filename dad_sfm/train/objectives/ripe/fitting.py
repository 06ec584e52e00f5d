"""Matches of two images, and which of them one fundamental matrix explains.

Fitting is PoseLib's, on threads of the CPU, while the device runs the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import poselib
import torch
from torch import Tensor

MIN_MATCHES = 8  # fewer determine no fundamental matrix


def mutual_matches(a: Tensor, b: Tensor) -> Tensor:
    """Mutual nearest neighbours of N×D and M×D unit descriptors: K×2 int64 rows."""
    if not len(a) or not len(b):
        return torch.zeros((0, 2), dtype=torch.int64, device=a.device)
    similarity = a @ b.T
    there, back = similarity.argmax(dim=1), similarity.argmax(dim=0)
    rows = torch.arange(len(a), device=a.device)
    mutual = back[there] == rows
    return torch.stack([rows[mutual], there[mutual]], dim=1)


def fundamental_inliers(a: np.ndarray, b: np.ndarray, max_error_px: float, seed: int) -> np.ndarray:
    """Which of K matched points (K×2 float64 each) the best fundamental matrix explains: K bool.

    All false where there are fewer than `MIN_MATCHES`.
    """
    if len(a) < MIN_MATCHES:
        return np.zeros(len(a), bool)
    options = {"max_epipolar_error": max_error_px, "seed": seed}
    _, found = poselib.estimate_fundamental(a, b, options, {})
    inliers = np.asarray(found["inliers"], bool)
    return inliers if len(inliers) == len(a) else np.zeros(len(a), bool)  # nothing was found


@dataclass(frozen=True)
class Matched:
    """Points of two images to be fitted: K×2 matched positions each."""

    a: Tensor
    b: Tensor


class RobustFitter:
    """Fits many pairs at once."""

    def __init__(self, workers: int = 4) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="fit")

    def submit(
        self, pairs: Sequence[Matched], max_error_px: float, seed: int
    ) -> list[Future[np.ndarray]]:
        """Begin to fit; each result is what `fundamental_inliers` gives."""
        return [
            self._threads.submit(
                fundamental_inliers,
                pair.a.detach().double().cpu().numpy(),
                pair.b.detach().double().cpu().numpy(),
                max_error_px,
                seed + number,
            )
            for number, pair in enumerate(pairs)
        ]
