"""Walls with windows, doors and arches."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import pi

import numpy as np

from .build import Builder, Material, X, Y, Z, inside_frame
from .surfaces import Trim


@dataclass(frozen=True)
class Opening:
    """A hole in a wall, from (x0, z0) to (x1, z1), local metres; ``arched``: with a round head.

    The head of an arch ends at z1.  ``fill`` closes it ``depth`` behind the wall's face.
    """

    x0: float
    z0: float
    x1: float
    z1: float
    depth: float
    fill: Material | None
    arched: bool = False

    @property
    def spring(self) -> float:
        """Height at which the round head begins."""
        return self.z1 - (self.x1 - self.x0) / 2 if self.arched else self.z1


def wall(
    builder: Builder,
    material: Material,
    at: np.ndarray,
    *,
    width: float,
    height: float,
    openings: list[Opening],
    reveal: Material,
) -> None:
    """The face of a wall in the local x-z plane, x from 0 to ``width``, with openings.

    The texture spans the whole wall.  ``reveal`` lines the openings.
    """
    W, H = material.size
    per_x, per_z = W / width, H / height

    def face(x0: float, z0: float, x1: float, z1: float, trim: Trim = Trim.NONE) -> None:
        texels = (x0 * per_x, (height - z1) * per_z, (x1 - x0) * per_x, (z1 - z0) * per_z)
        builder.local_patch(
            material, at, (x0, 0, z1), (x1 - x0) * X, -(z1 - z0) * Z, texels=texels, trim=trim
        )

    levels = sorted({0.0, height, *(z for o in openings for z in (o.z0, o.z1))})
    for low, high in pairwise(levels):
        holes = sorted((o.x0, o.x1) for o in openings if o.z0 < high and o.z1 > low)
        edges = [0.0, *(x for hole in holes for x in hole), width]
        for left, right in zip(edges[::2], edges[1::2], strict=True):
            if right > left:
                face(left, low, right, high)
    for o in openings:
        _line(builder, reveal, at, o)
        if o.arched:
            face(o.x0, o.spring, o.x1, o.z1, Trim.ARCH)


def _line(builder: Builder, reveal: Material, at: np.ndarray, o: Opening) -> None:
    """The inner sides of an opening and what closes it."""
    wide, deep, tall = o.x1 - o.x0, o.depth, o.spring - o.z0
    builder.local_patch(reveal, at, (o.x0, 0, o.spring), deep * Y, -tall * Z)
    builder.local_patch(reveal, at, (o.x1, deep, o.spring), -deep * Y, -tall * Z)
    if o.z0 > 0:
        builder.local_patch(reveal, at, (o.x0, deep, o.z0), wide * X, -deep * Y)
    if o.arched:
        # The local z axis of the vault runs into the wall, its x axis to the right.
        axis = np.column_stack([X, Z, -Y, [(o.x0 + o.x1) / 2, deep, o.spring]])
        vault = inside_frame(at, axis)
        builder.cylinder(reveal, vault, wide / 2, deep, arc=(0.0, pi), inward=True)
    else:
        builder.local_patch(reveal, at, (o.x0, 0, o.z1), wide * X, deep * Y)
    if o.fill is not None:
        whole = (0.0, 0.0, *map(float, o.fill.size))
        top = o.z1 + (0.02 if o.arched else 0.0)  # the vault's corners rise above the round head
        builder.local_patch(o.fill, at, (o.x0, deep, top), wide * X, (o.z0 - top) * Z, texels=whole)
