"""Textures as pyramids in one flat array, and their filtered sampling.

Texels are stored as 8-bit square roots of linear light (a gamma of 2, near enough to sRGB).
Level l halves level 0 l times: a position x of level 0 is x / 2**l there, whatever the size, so
that no level is shifted against another.  A pixel's footprint is an ellipse; its long axis is
covered by up to `MAX_TAPS` trilinear probes whose level fits the short one (as in anisotropic
filtering on a GPU), so that ground seen at a grazing angle neither shimmers nor blurs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MAX_TAPS = 8


@dataclass(frozen=True, eq=False)
class Atlas:
    """T textures of up to L levels.

    texels  (N,) uint32: red, green, blue and an unused byte of every texel of every level
    start   (T, L) index of a level's first texel in ``texels``
    size    (T, L, 2) its (W, H); textures with fewer levels repeat their last, of 1×1
    """

    texels: np.ndarray
    start: np.ndarray
    size: np.ndarray

    def sample(self, texture: np.ndarray, xy: np.ndarray, footprint: np.ndarray) -> np.ndarray:
        """Filtered lookup: N positions (2, N) in texels of level 0.

        ``footprint`` (2, 2, N) holds the derivatives of the position (axis 0) by the pixel's x and
        y (axis 1).  Outside a texture its border is repeated.  Returns (N, 3) float32 linear light.
        """
        major, minor, axis = ellipse(footprint)
        wanted = np.log2(np.clip(major / minor, 1, MAX_TAPS))
        doublings = np.ceil(wanted - 0.25).astype(np.int32)
        lod = np.log2(np.maximum(np.maximum(minor, major / 2.0**doublings), 1)).astype(np.float32)
        result = np.empty((len(texture), 3), np.float32)
        for d in range(int(np.log2(MAX_TAPS)) + 1):
            (group,) = np.nonzero(doublings == d)
            shifts = (np.arange(2**d, dtype=np.float32) + 0.5) / 2**d - 0.5
            taps = [xy[:, group] + shift * axis[:, group] for shift in shifts]
            result[group] = self._trilinear(texture[group], lod[group], taps)
        return result * result

    def _trilinear(
        self, texture: np.ndarray, lod: np.ndarray, taps: Sequence[np.ndarray]
    ) -> np.ndarray:
        """Mean of the taps, (2, N) each, between two levels: (N, 3) square roots of light."""
        top = self.start.shape[1] - 1
        level = np.minimum(lod.astype(np.int32), top)
        fraction = (lod - level)[:, None]
        value = self._bilinear(texture, level, taps)
        (between,) = np.nonzero(fraction[:, 0] > 0)
        next_level = np.minimum(level[between] + 1, top)
        coarse = self._bilinear(texture[between], next_level, [tap[:, between] for tap in taps])
        value[between] += (coarse - value[between]) * fraction[between]
        return value

    def _bilinear(
        self, texture: np.ndarray, level: np.ndarray, taps: Sequence[np.ndarray]
    ) -> np.ndarray:
        entry = texture * self.start.shape[1] + level
        start = self.start.ravel()[entry]
        size = self.size.reshape(-1, 2)[entry]
        width = np.ascontiguousarray(size[:, 0])
        last = np.ascontiguousarray(size.T - 1)
        scale = np.float32(0.5) ** level.astype(np.float32)
        total = np.zeros((len(texture), 4), np.float32)
        for tap in taps:
            at = np.minimum(np.maximum(tap * scale - np.float32(0.5), 0), last.astype(np.float32))
            low = at.astype(np.int32)
            x, y = at - low
            corner = start + low[1] * width + low[0]
            right = (low[0] < last[0]).astype(np.int32)
            below = width * (low[1] < last[1])
            total += self._fetch(corner) * ((1 - x) * (1 - y))[:, None]
            total += self._fetch(corner + right) * (x * (1 - y))[:, None]
            corner += below
            total += self._fetch(corner) * ((1 - x) * y)[:, None]
            total += self._fetch(corner + right) * (x * y)[:, None]
        return total[:, :3] * np.float32(1 / 255 / len(taps))

    def _fetch(self, index: np.ndarray) -> np.ndarray:
        return self.texels[index].view(np.uint8).reshape(-1, 4).astype(np.float32)


def ellipse(footprint: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Axes of the ellipses that (2, 2, N) matrices make of the unit circle's diameter.

    Returns the long and the short lengths, (N,) each, and the long axis as vectors (2, N).
    """
    (a, b), (c, d) = footprint
    p, q, r = a * a + b * b, a * c + b * d, c * c + d * d
    half, spread = (p + r) / 2, np.hypot((p - r) / 2, q)
    major = np.sqrt(half + spread)
    minor = np.abs(a * d - b * c) / np.maximum(major, 1e-12)
    angle = np.arctan2(2 * q, p - r) / 2
    axis = np.stack([np.cos(angle), np.sin(angle)]) * major
    return major, np.maximum(minor, 1e-6), axis.astype(np.float32)


def make_atlas(images: Sequence[np.ndarray]) -> Atlas:
    """Pack H×W×3 images: uint8 as they are, floats as linear light in [0, 1]."""
    pyramids = [_pyramid(image) for image in images]
    levels = max(map(len, pyramids))
    start = np.zeros((len(images), levels), np.int32)
    size = np.ones((len(images), levels, 2), np.int32)
    count = 0
    for index, pyramid in enumerate(pyramids):
        for level in range(levels):
            if level < len(pyramid):
                H, W = pyramid[level].shape[:2]
                start[index, level:], size[index, level:] = count, (W, H)
                count += H * W
    texels = np.zeros((count, 4), np.uint8)
    texels[:, :3] = np.concatenate([level.reshape(-1, 3) for p in pyramids for level in p])
    return Atlas(texels.view(np.uint32)[:, 0], start, size)


def _pyramid(image: np.ndarray) -> list[np.ndarray]:
    if image.dtype == np.uint8:
        levels = [np.ascontiguousarray(image)]
        linear = np.square(image.astype(np.float32) / 255)
    else:
        linear = np.clip(image, 0, 1).astype(np.float32)
        levels = [_encode(linear)]
    while max(linear.shape[:2]) > 1:
        H, W = linear.shape[:2]
        linear = np.pad(linear, ((0, H % 2), (0, W % 2), (0, 0)), mode="edge")
        linear = (linear[0::2] + linear[1::2]) / 2
        linear = (linear[:, 0::2] + linear[:, 1::2]) / 2
        levels.append(_encode(linear))
    return levels


def _encode(linear: np.ndarray) -> np.ndarray:
    return (np.sqrt(linear) * 255 + 0.5).astype(np.uint8)
