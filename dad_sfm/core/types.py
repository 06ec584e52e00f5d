"""What passes between the steps: arrays with checked shapes.  numpy only, no torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def _check(name: str, array: np.ndarray, shape: tuple[int | None, ...]) -> None:
    fits = array.ndim == len(shape) and all(
        s is None or s == n for s, n in zip(shape, array.shape, strict=True)
    )
    if not fits:
        raise ValueError(f"{name} has shape {array.shape}, expected {shape} (None = any)")


@dataclass(frozen=True)
class Features:
    """The features of one image, as they stand in a feature file.

    keypoints_px   N×2 float32, (x, y), pixel-index frame of the *original* image
    scores         N float32, descending; the meaning belongs to the detector
    image_size     (W, H) of the original image
    descriptors    N×D floating point, or None (files hold the transpose, D×N)
    uncertainty_px detection noise in pixels of the original image (one per file entry)
    scales         N float32, size of each point in pixels of the original image, or None
    oris           N float32, orientation of each point in degrees, x towards y, or None
    covariances    N×2×2 float32, of each point's position, pixels² of the original image, or None
    N may be 0.
    """

    keypoints_px: np.ndarray
    scores: np.ndarray
    image_size: tuple[int, int]
    descriptors: np.ndarray | None = None
    uncertainty_px: float = 1.0
    scales: np.ndarray | None = None
    oris: np.ndarray | None = None
    covariances: np.ndarray | None = None

    def __post_init__(self) -> None:
        n = len(self.keypoints_px)
        _check("keypoints_px", self.keypoints_px, (None, 2))
        _check("scores", self.scores, (n,))
        if self.descriptors is not None:
            _check("descriptors", self.descriptors, (n, None))
        optional = {"scales": (n,), "oris": (n,), "covariances": (n, 2, 2)}
        for name, shape in optional.items():
            if (array := getattr(self, name)) is not None:
                _check(name, array, shape)

    def __len__(self) -> int:
        return len(self.keypoints_px)


@dataclass(frozen=True)
class Matches:
    """The matches of one image pair.

    matches0  N0 int32: index of the matched keypoint of image 1, or -1
    scores0   N0 float32: confidence of each match in [0, 1]; 0 where there is none
    """

    matches0: np.ndarray
    scores0: np.ndarray

    def __post_init__(self) -> None:
        _check("matches0", self.matches0, (None,))
        _check("scores0", self.scores0, (len(self.matches0),))

    @property
    def indices(self) -> np.ndarray:
        """K×2 int32 pairs (index in image 0, index in image 1)."""
        index0 = np.flatnonzero(self.matches0 >= 0)
        return np.stack([index0, self.matches0[index0]], axis=-1).astype(np.int32)

    @property
    def scores(self) -> np.ndarray:
        """K float32: the confidence of each row of `indices`."""
        return self.scores0[self.matches0 >= 0]
