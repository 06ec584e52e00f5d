"""Scenes, and views of them: colour, exact depth, exact geometry."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..geometry.pinhole import Pinhole
from .build import Builder
from .light import BakedLight, Light, bake
from .noise import fractal
from .surfaces import Surfaces
from .textures import Atlas, make_atlas


@dataclass(frozen=True, eq=False)
class Scene:
    """Patches, their textures, the light on them, and the sky's clouds.

    clouds  (N, N) float32, density in [0, 1] of clouds over the plane of the sky
    """

    surfaces: Surfaces
    atlas: Atlas
    light: BakedLight
    clouds: np.ndarray


@dataclass(frozen=True, eq=False)
class View:
    """What a camera sees.

    rgb    H×W×3 uint8
    depth  H×W float32, z-depth in metres along the rays through the pixel *centres*; 0 = sky
    """

    camera: Pinhole
    rgb: np.ndarray
    depth: np.ndarray


def make_scene(builder: Builder, light: Light, **baking: float) -> Scene:
    """Finish what a builder has collected.  ``baking`` is passed on to `light.bake`.

    Raises `ValueError` when there are no patches, or more than `raster.visible` can number.
    """
    surfaces = builder.surfaces()
    if len(surfaces) > np.iinfo(np.int16).max:
        raise ValueError(f"a scene can have {np.iinfo(np.int16).max} patches, not {len(surfaces)}")
    clouds = _clouds(builder.rng)
    baked = bake(surfaces, light, **baking)  # type: ignore[arg-type]
    return Scene(surfaces, make_atlas(builder.images), baked, clouds)


def relit(scene: Scene, light: Light, rng: np.random.Generator, **baking: float) -> Scene:
    """The same things in other light and under other clouds; see `make_scene`."""
    baked = bake(scene.surfaces, light, **baking)  # type: ignore[arg-type]
    return replace(scene, light=baked, clouds=_clouds(rng))


def _clouds(rng: np.random.Generator) -> np.ndarray:
    return np.clip(fractal(rng, H=512, W=512, cell=96, gain=0.55) * 0.35 + 0.35, 0, 1)
