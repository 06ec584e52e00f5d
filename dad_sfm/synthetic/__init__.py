"""Rendered scenes with known cameras, depth and correspondences.  numpy and Pillow only.

>>> scene = random_scene(seed=3, textures=photos)          # or courtyard()
>>> a, b = (render(scene, c) for c in random_cameras(scene, 3, 2, size=(320, 240)))
>>> points_b_px, valid = warp_points(a, b, points_a_px)    # exact, occlusions known

Pixels are in the pixel-index frame (the centre of the top-left pixel is (0, 0)); depth is along
the optical axis, at pixel centres, in metres, 0 where there is only sky.
"""

from ..geometry.depth_warp import warp_points
from ..geometry.pinhole import Pinhole, look_at
from .courtyard import courtyard, courtyard_cameras
from .export import load_view, render_courtyard, render_drive
from .random_cameras import random_cameras
from .random_scene import another_day, random_scene
from .render import render
from .scene import Scene, View

__all__ = [
    "Pinhole",
    "Scene",
    "View",
    "another_day",
    "courtyard",
    "courtyard_cameras",
    "load_view",
    "look_at",
    "random_cameras",
    "random_scene",
    "render",
    "render_courtyard",
    "render_drive",
    "warp_points",
]
