"""What a scene is made of: flat patches, each a parallelogram that a trim may cut.

A patch is all points ``origin + s * u + t * v`` with s and t in [0, 1].  Seen from its front, u
runs right and v down, like the pixels of its texture; its back is not drawn, so solids must be
closed.  The outward normal is v × u.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np


class Trim(IntEnum):
    """The part of the parallelogram that is there."""

    NONE = 0
    TRIANGLE = 1  # s + t <= 1
    RING = 2  # the ellipse that fills it, minus its copy scaled by `hole`
    ARCH = 3  # what is above the half ellipse on its lower side


@dataclass(frozen=True, eq=False)
class Surfaces:
    """Q patches.

    origin, u, v  (Q, 3) float64, metres
    normals       (Q, 3, 3) float64, outward unit normals for shading at origin, origin + u and
                  origin + v, interpolated between
    trim, hole    (Q,) int, `Trim`; (Q,) float64, inner radius of a RING relative to the outer
    texture       (Q,) int, index of the texture
    texel_from_st (Q, 2, 3) float64, texture position (x, y) = A (s, t, 1) in texels, (0, 0)
                  being the *corner* of the top-left texel
    """

    origin: np.ndarray
    u: np.ndarray
    v: np.ndarray
    normals: np.ndarray
    trim: np.ndarray
    hole: np.ndarray
    texture: np.ndarray
    texel_from_st: np.ndarray

    def __len__(self) -> int:
        return len(self.origin)

    def points(self, index: np.ndarray, s: np.ndarray, t: np.ndarray) -> np.ndarray:
        """World points (N, 3) at (s, t) on the patches ``index``."""
        return self.origin[index] + s[:, None] * self.u[index] + t[:, None] * self.v[index]

    def corners(self) -> np.ndarray:
        """(Q, 4, 3), around the parallelogram."""
        o, u, v = self.origin, self.u, self.v
        return np.stack([o, o + u, o + u + v, o + v], axis=1)


def inside(trim: int, hole: float, s: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Whether (s, t) of the unit square belong to a trimmed patch."""
    if trim == Trim.TRIANGLE:
        return s + t <= 1
    if trim == Trim.RING:
        radius2 = (2 * s - 1) ** 2 + (2 * t - 1) ** 2
        return (radius2 <= 1) & (radius2 >= hole * hole)
    if trim == Trim.ARCH:
        return (2 * s - 1) ** 2 + (1 - t) ** 2 >= 1
    return np.ones(np.broadcast(s, t).shape, bool)


def stack(parts: Sequence[Surfaces]) -> Surfaces:
    """One set of all the patches, in order."""
    return Surfaces(
        *(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Surfaces))
    )
