"""Photos with keypoints and a teacher's descriptors of them, computed once and kept in a folder.

``described.json``  what the folder holds; one that holds something else is refused
``<digest>.npz``    a photo each: rgb (H×W×3 uint8), points (N×2 float32, pixel-index frame),
                    teacher (N×D float16), fixed (how many of the points are the photo's keypoints)

A file that exists is complete, so an interrupted computation resumes.
"""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...core.atomic import atomic_write
from ...core.config import ConfigError
from ...core.progress import progress
from ...descriptors import DESCRIPTORS
from ...detectors import DETECTORS
from ...geometry.pixel_frames import resized_px
from ...io.images import ImageError, read_image, size_for, to_array

logger = logging.getLogger(__name__)

VERSION = 1  # raise it when points, files or their meaning change
MARKER = "described.json"
_STRIDE = 16  # of nano in an image of half the size


@dataclass(frozen=True)
class TeacherConf:
    """How photos are described.

    name, weights     descriptor plug-in, and its checkpoint where it is not the published one
    detector          whose keypoints are described
    resize_max        long side of the photos, px
    keypoints         per photo
    coarse_keypoints  per photo, found in its copy of half the size
    anywhere          points per photo at random places
    """

    name: str = "aliked-n16"
    weights: str | None = None
    detector: str = "dad-nano"
    resize_max: int = 800
    keypoints: int = 900
    coarse_keypoints: int = 250
    anywhere: int = 150


def describe_photos(
    photos: Sequence[Path], folder: Path | str, conf: TeacherConf, *, device: str = "cpu"
) -> list[Path]:
    """Describe the photos that the folder does not hold yet; returns a file for each photo.

    Photos that cannot be read are left out.  Raises `ConfigError` when the folder holds photos
    described otherwise, `ImageError` when no photo can be read.
    """
    root = Path(folder)
    files = {photo: root / f"{_name(photo)}.npz" for photo in photos}
    missing = [photo for photo, file in files.items() if not file.is_file()]
    if missing or not (root / MARKER).is_file():
        teacher = _Teacher(conf, device)
        _claim(root, conf, teacher.identity)
        for photo in progress(missing, "teacher", unit="image"):
            try:
                arrays = teacher(photo)
            except ImageError as error:
                logger.warning("left out of training: %s", error)
                del files[photo]
                continue
            with atomic_write(files[photo]) as partial, partial.open("wb") as file:
                np.savez(file, **arrays)
    if not files:
        raise ImageError(f"none of the {len(photos)} training photos could be read")
    return list(files.values())


class _Teacher:
    def __init__(self, conf: TeacherConf, device: str) -> None:
        self._conf, self._device = conf, device
        descriptor = {"name": conf.name}
        if conf.weights is not None:
            descriptor["weights"] = conf.weights
        self._describe = DESCRIPTORS.make(descriptor, device=device)
        self._detectors = [
            DETECTORS.make({"name": conf.detector, "max_keypoints": most}, device=device)
            for most in (conf.keypoints, conf.coarse_keypoints)
        ]
        self.identity = {
            "detector": self._detectors[0].identity,
            "teacher": self._describe.identity,
        }

    @torch.inference_mode()
    def __call__(self, photo: Path) -> dict[str, Any]:
        image = read_image(photo)
        W, H = size_for(image.size, resize_max=self._conf.resize_max, stride=_STRIDE)
        rgb = np.array(to_array(image, (W, H)))
        pixels = torch.from_numpy(rgb).to(self._device).permute(2, 0, 1)[None].float() / 255
        half = F.interpolate(pixels, (H // 2, W // 2), mode="bilinear", antialias=True)
        fine, coarse = (
            detect(images)[0].keypoints_px
            for detect, images in zip(self._detectors, (pixels, half), strict=True)
        )
        rng = np.random.default_rng(zlib.crc32(rgb.tobytes()))
        anywhere = rng.uniform(4, (W - 5, H - 5), (self._conf.anywhere, 2))
        fixed = torch.cat(
            [fine, resized_px(coarse, source_size=(W // 2, H // 2), target_size=(W, H))]
        )
        points = torch.cat([fixed, torch.from_numpy(anywhere).to(fixed)])
        described: Tensor = self._describe(pixels[0], points)
        return {
            "rgb": rgb,
            "points": points.float().cpu().numpy(),
            "teacher": described.half().cpu().numpy(),
            "fixed": len(fixed),
        }


def _name(photo: Path) -> str:
    """Of a photo's content: the same photo in another folder is not described again."""
    from ...models.checkpoints import sha256_of

    return sha256_of(photo)[:16]


def _claim(root: Path, conf: TeacherConf, identity: dict[str, Any]) -> None:
    values = {key: value for key, value in asdict(conf).items() if key != "weights"}
    wanted = {"version": VERSION, **values, "identity": identity}
    marker = root / MARKER
    if not marker.is_file():
        with atomic_write(marker) as path:
            path.write_text(json.dumps(wanted, indent=1), encoding="utf-8")
        return
    found = json.loads(marker.read_text(encoding="utf-8"))
    if found != wanted:
        other = [key for key in wanted if found.get(key) != wanted[key]]
        raise ConfigError(
            f"{root} holds photos that were described otherwise, which differ in "
            f"{', '.join(other)} (see {marker}); give another folder or delete it"
        )
