"""Putting solids together: a builder that collects patches and textures.

A frame is a 3×4 [R | t], world from local.  Local axes: x to the right and z up as seen from the
front, which looks towards -y.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np

from .surfaces import Surfaces, Trim, stack

X, Y, Z = np.eye(3)


def frame(
    x: float, y: float, z: float = 0.0, *, yaw_deg: float = 0.0, lean_deg: float = 0.0
) -> np.ndarray:
    """World from local: lean back about the local x axis, turn about the vertical, then move."""
    a, b = np.radians([yaw_deg, lean_deg])
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    lean = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    return np.column_stack([turn @ lean, [x, y, z]])


def inside_frame(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """The world frame of an ``inner`` frame that is given in an ``outer`` one."""
    R = outer[:, :3]
    return np.column_stack([R @ inner[:, :3], R @ inner[:, 3] + outer[:, 3]])


def _row(values: object) -> np.ndarray:
    return np.asarray(values, np.float64)[None]


@dataclass(frozen=True)
class Material:
    """A texture in the builder: its index, W and H in texels, texels per metre.

    ``grained``: it is of wood whose grain runs down the texture, and along the longer side of
    whatever shows a random part of it.
    """

    index: int
    size: tuple[int, int]
    density: float
    grained: bool = False


class Builder:
    """Collects the patches and textures of a scene.  All randomness is from ``rng``."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.images: list[np.ndarray] = []
        self._parts: list[Surfaces] = []

    def surfaces(self) -> Surfaces:
        """All patches so far.  Raises `ValueError` when there are none."""
        if not self._parts:
            raise ValueError("a scene needs at least one patch; add some to the builder first")
        return stack(self._parts)

    def material(self, image: np.ndarray, density: float, *, grained: bool = False) -> Material:
        """Take a texture, H×W×3 uint8 or linear float, of ``density`` texels per metre."""
        self.images.append(image)
        size = image.shape[1], image.shape[0]
        return Material(len(self.images) - 1, size, density, grained)

    def crop(self, material: Material, width: float, height: float) -> tuple[float, ...]:
        """A random part (x, y, w, h in texels) that suits a face of width × height metres.

        The texture is enlarged where it is too small for the face.
        """
        W, H = material.size
        scale = min(material.density, W / width, H / height)
        w, h = width * scale, height * scale
        return self.rng.uniform(0, W - w + 1e-9), self.rng.uniform(0, H - h + 1e-9), w, h

    def patch(
        self,
        material: Material,
        origin: np.ndarray,
        u: np.ndarray,
        v: np.ndarray,
        *,
        texels: tuple[float, ...] | np.ndarray | None = None,
        normals: np.ndarray | None = None,
        trim: Trim = Trim.NONE,
        hole: float = 0.0,
    ) -> None:
        """Add one patch.

        ``texels`` is the part of the texture that it shows: (x, y, w, h), a 2×3 matrix from
        (s, t, 1), or None for a random part.  ``normals`` 3×3 are those at origin, + u, + v.
        """
        if texels is None:
            wide, high = float(np.linalg.norm(u)), float(np.linalg.norm(v))
            if material.grained and wide > high:
                x, y, w, h = self.crop(material, high, wide)
                texels = np.array([[0, w, x], [h, 0, y]])
            else:
                texels = self.crop(material, wide, high)
        if not isinstance(texels, np.ndarray):
            x, y, w, h = texels
            texels = np.array([[w, 0, x], [0, h, y]])
        if normals is None:
            outward = np.cross(v, u)
            normals = np.tile(outward / np.linalg.norm(outward), (3, 1))
        self._parts.append(
            Surfaces(
                origin=_row(origin),
                u=_row(u),
                v=_row(v),
                normals=_row(normals),
                trim=np.array([int(trim)]),
                hole=_row(hole),
                texture=np.array([material.index]),
                texel_from_st=_row(texels),
            )
        )

    def local_patch(
        self,
        material: Material,
        at: np.ndarray,
        origin: object,
        u: object,
        v: object,
        **more: object,
    ) -> None:
        """A patch in the coordinates of the frame ``at``."""
        R, shift = at[:, :3], at[:, 3]
        o, a, b = (R @ np.asarray(p, np.float64) for p in (origin, u, v))
        self.patch(material, o + shift, a, b, **more)  # type: ignore[arg-type]

    def box(
        self,
        material: Material,
        at: np.ndarray,
        size: tuple[float, float, float],
        *,
        front: Material | None = None,
    ) -> None:
        """A box on the x-y plane of its frame, centred in x and y.

        ``front``: the material of the -y face, all of which it then shows.
        """
        x, y, z = size
        l, n = x / 2, y / 2  # noqa: E741
        whole = None if front is None else (0.0, 0.0, *map(float, front.size))
        self.local_patch(front or material, at, (-l, -n, z), x * X, -z * Z, texels=whole)
        self.local_patch(material, at, (l, n, z), -x * X, -z * Z)
        self.local_patch(material, at, (-l, n, z), -y * Y, -z * Z)
        self.local_patch(material, at, (l, -n, z), y * Y, -z * Z)
        self.local_patch(material, at, (-l, n, z), x * X, -y * Y)
        self.local_patch(material, at, (-l, -n, 0), x * X, y * Y)

    def cylinder(
        self,
        material: Material,
        at: np.ndarray,
        radius: float,
        height: float,
        *,
        arc: tuple[float, float] = (0.0, 2 * pi),
        inward: bool = False,
    ) -> None:
        """The round side of a cylinder about the local z axis, as a prism shaded smooth.

        Its sides touch the circle from the solid's side, so that no crack shows at its ends.
        """
        turn = arc[1] - arc[0]
        sides = round(turn * np.clip(3.2 + 3 * radius, 3.2, 10))
        radius = 1.001 * radius / np.cos(turn / sides / 2) if inward else radius
        angles = np.linspace(*arc, sides + 1)
        rim = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=-1)
        x, y, w, h = self.crop(material, radius * turn, height)
        R = at[:, :3]
        for i in range(sides):
            left, right = (i + 1, i) if inward else (i, i + 1)
            sign = -1 if inward else 1
            self.local_patch(
                material,
                at,
                radius * rim[left] + height * Z,
                radius * (rim[right] - rim[left]),
                -height * Z,
                texels=(x + i * w / sides, y, w / sides, h),
                normals=sign * np.stack([rim[left], rim[right], rim[left]]) @ R.T,
            )

    def disc(
        self, material: Material, at: np.ndarray, radius: float, z: float, *, hole: float = 0.0
    ) -> None:
        """A disc that faces the local z axis, with a hole of a share of the radius."""
        r = radius
        self.local_patch(material, at, (-r, r, z), 2 * r * X, -2 * r * Y, trim=Trim.RING, hole=hole)

    def drum(self, material: Material, at: np.ndarray, radius: float, height: float) -> None:
        """A closed upright cylinder."""
        self.cylinder(material, at, radius, height)
        self.disc(material, at, radius, height)

    def terrain(self, material: Material, heights: np.ndarray, spacing: float) -> None:
        """Ground through a grid of ``heights`` (rows run to +y), centred on the origin."""
        n, m = heights.shape
        y, x = (np.indices((n, m)) - np.array([(n - 1) / 2, (m - 1) / 2])[:, None, None]) * spacing
        points = np.stack([x, y, heights], axis=-1)
        dzdy, dzdx = np.gradient(heights, spacing)
        normal = np.stack([-dzdx, -dzdy, np.ones_like(heights)], axis=-1)
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
        W, H = material.size
        texel = np.stack([(x / x.max() + 1) / 2 * W, (1 - y / y.max()) / 2 * H], axis=-1)
        for i in range(n - 1):
            for j in range(m - 1):
                # Seen from above with +y up: the upper left half, then the lower right one.
                for a, b, c in (
                    ((i + 1, j), (i + 1, j + 1), (i, j)),
                    ((i, j + 1), (i, j), (i + 1, j + 1)),
                ):
                    corners = [texel[a], texel[b], texel[c]]
                    affine = np.stack(
                        [corners[1] - corners[0], corners[2] - corners[0], corners[0]], axis=-1
                    )
                    self.patch(
                        material,
                        points[a],
                        points[b] - points[a],
                        points[c] - points[a],
                        texels=affine,
                        normals=np.stack([normal[a], normal[b], normal[c]]),
                        trim=Trim.TRIANGLE,
                    )
