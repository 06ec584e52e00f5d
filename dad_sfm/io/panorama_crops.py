"""360° panoramas -> perspective views and the rig that they form, for any feature and mapper."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ..core.progress import progress
from ..geometry.cameras import quaternion
from ..geometry.equirectangular import pano_from_view, pano_pixels, sample_sphere
from .images import ImageError, read_image
from .listing import find_images

logger = logging.getLogger(__name__)

RIG_FILE = "rig_config.json"


@dataclass(frozen=True)
class CropConf:
    """The views of a panorama.

    fov      of each, degrees along a side
    yaws     how many there are around, evenly
    pitches  degrees up of each ring of views; rings are turned against each other by half a step
    side     of the views in pixels; None for the panorama's own resolution at their centre
    """

    fov: float = 90.0
    yaws: int = 4
    pitches: tuple[float, ...] = (35.0, -35.0)
    side: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.fov < 150 or self.yaws < 1 or not self.pitches:
            raise ValueError("fov must lie between 0° and 150°, with a yaw and a pitch at least")

    @property
    def views(self) -> dict[str, np.ndarray]:
        """3×3 pano_from_view of each view by its folder."""
        step = 360 / self.yaws
        return {
            f"pitch{pitch:+g}_yaw{(yaw + ring % 2 / 2) * step:g}": pano_from_view(
                (yaw + ring % 2 / 2) * step, pitch
            )
            for ring, pitch in enumerate(self.pitches)
            for yaw in range(self.yaws)
        }


def crop_panoramas(
    image_dir: Path | str, out: Path | str, conf: CropConf | None = None
) -> tuple[Path, dict[str, str]]:
    """Write ``out/images/<view>/<name>.jpg`` of every panorama and ``out/rig_config.json``.

    Returns the path of the rig, which `database.main` takes, and the photos that are no panorama
    or cannot be read, with the reason.  Raises FileNotFoundError where there is no photo, and
    `ImageError` where panoramas differ in size (of one camera they do not) or none can be used.
    """
    conf, root, target = conf or CropConf(), Path(image_dir), Path(out)
    names = find_images(root).names
    if not names:
        raise FileNotFoundError(f"no images under {root}")
    failures: dict[str, str] = {}
    size: tuple[int, int] | None = None
    grids: dict[str, np.ndarray] = {}
    for name in progress(names, "crop", unit="image"):
        try:
            pano = read_image(root / name)
            if pano.width != 2 * pano.height:
                raise ImageError(f"{root / name}: {pano.width}×{pano.height} is not 2:1")
        except ImageError as error:
            failures[name] = str(error)
            continue
        if size is None:
            size = pano.size
            side, focal = _view_size(conf, size)
            grids = {v: pano_pixels(R, side, focal, size) for v, R in conf.views.items()}
        if pano.size != size:
            raise ImageError(
                f"{root / name}: {pano.width}×{pano.height} pixels, the others {size[0]}×{size[1]};"
                " crop the panoramas of each camera by themselves"
            )
        pixels = np.asarray(pano, dtype=np.float32)
        for view, grid in grids.items():
            path = target / "images" / view / f"{name}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            found = sample_sphere(pixels, grid).round().astype(np.uint8)
            Image.fromarray(found).save(path, quality=95, subsampling=0)
    if size is None:
        raise ImageError(f"no panorama under {root}: {next(iter(failures.values()))}")
    side, focal = _view_size(conf, size)
    rig = target / RIG_FILE
    rig.write_text(json.dumps(_rig(conf.views, side, focal), indent=1), encoding="utf-8")
    return rig, failures


def _view_size(conf: CropConf, pano_size: tuple[int, int]) -> tuple[int, float]:
    """Side and focal length of a view, px."""
    tangent = np.tan(np.deg2rad(conf.fov) / 2)
    side = conf.side or round(2 * tangent * pano_size[0] / (2 * np.pi))
    return side, side / (2 * tangent)


def _rig(views: dict[str, np.ndarray], side: int, focal_px: float) -> list[dict[str, object]]:
    """COLMAP's rig configuration: the first view is the reference."""
    first: np.ndarray = next(iter(views.values()))
    cameras: list[dict[str, object]] = []
    for view, rotation in views.items():
        camera: dict[str, object] = {
            "image_prefix": f"{view}/",
            "camera_model_name": "SIMPLE_PINHOLE",
            "camera_params": [focal_px, side / 2, side / 2],
        }
        if not cameras:
            camera["ref_sensor"] = True
        else:
            camera["cam_from_rig_rotation"] = _numbers(quaternion(rotation.T @ first))
            camera["cam_from_rig_translation"] = [0.0, 0.0, 0.0]
        cameras.append(camera)
    return [{"cameras": cameras}]


def _numbers(values: Sequence[float] | np.ndarray) -> list[float]:
    return [float(v) for v in values]
