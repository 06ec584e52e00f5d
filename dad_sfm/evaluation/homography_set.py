"""An evaluation set from any folder of photos: each photo beside a warped, degraded copy of it.

The folder ``set_dir`` holds ``images/<photo>/a.png`` and ``b.png`` and ``pairs.json``; any tool's
feature file of ``images`` can be judged by it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image, ImageFilter

from ..geometry.homography import random_view
from ..geometry.mappings import PlaneMapping
from ..io.images import read_image, size_for
from ..io.listing import list_images
from .subsets import evenly


@dataclass(frozen=True)
class HomographySetConf:
    """How the second image of a pair differs from the first."""

    long_side: int = 1024
    perspective: float = 0.18  # corners move by up to this share of the half side
    rotation_deg: float = 30.0
    scale: float = 0.4  # zoom in [1 - scale, 1 + scale]
    brightness: float = 0.2  # added, share of the full range
    contrast: float = 0.3
    noise: float = 0.03  # standard deviation, share of the full range
    blur_px: float = 1.0  # largest standard deviation
    seed: int = 0
    limit: int | None = None  # at most this many photos, evenly chosen


@dataclass(frozen=True)
class HomographyPair:
    """name_a, name_b: images relative to ``set_dir/images``; b_from_a: 3×3, pixel-index frame."""

    name_a: str
    name_b: str
    b_from_a: np.ndarray
    truth_files: ClassVar[tuple[Path, ...]] = ()

    def mapping(self, size_a: tuple[int, int], size_b: tuple[int, int]) -> PlaneMapping:
        """Where points of A are in B; sizes are (W, H)."""
        return PlaneMapping(self.b_from_a, size_b)


def make_set(folders: Sequence[Path | str], set_dir: Path | str, conf: HomographySetConf) -> Path:
    """Write the set of all photos under the folders; an existing one of the same kind is kept.

    Raises FileNotFoundError when there are no photos, ValueError when ``set_dir`` holds another
    set, for instance of the photos that were there before.
    """
    set_dir = Path(set_dir)
    photos = [Path(f) / name for f in folders for name in list_images(f)]
    if not photos:
        raise FileNotFoundError(f"no photos under {', '.join(map(str, folders))}")
    description = {"conf": asdict(conf), "photos": _listed(photos)}
    index = set_dir / "pairs.json"
    if index.is_file():
        if json.loads(index.read_text(encoding="utf-8"))["made_by"] != description:
            raise ValueError(
                f"{set_dir} holds the set of other photos or settings; delete it or give another "
                "folder"
            )
        return set_dir
    pairs = []
    # Numbers are those of all photos, so that a photo's pair is the same whatever the limit.
    for number, path in evenly(list(enumerate(photos)), conf.limit):
        rng = np.random.default_rng((conf.seed, number))
        stem = f"{number:04d}"
        b_from_a = _write_pair(read_image(path), set_dir / "images" / stem, conf, rng)
        pairs.append({"photo": str(path), "folder": stem, "b_from_a": b_from_a.tolist()})
    index.write_text(json.dumps({"made_by": description, "pairs": pairs}, indent=1))
    return set_dir


def _listed(photos: Sequence[Path]) -> str:
    """How many photos, and a digest of their places and sizes, however a folder is spelled."""
    lines = "\n".join(f"{photo.resolve()} {photo.stat().st_size}" for photo in photos)
    return f"{len(photos)} photos, {hashlib.sha256(lines.encode()).hexdigest()}"


def read_set(set_dir: Path | str) -> list[HomographyPair]:
    """The pairs of a set that `make_set` wrote."""
    index = Path(set_dir) / "pairs.json"
    if not index.is_file():
        raise FileNotFoundError(f"{set_dir} is no homography set: it has no pairs.json")
    return [
        HomographyPair(f"{p['folder']}/a.png", f"{p['folder']}/b.png", np.array(p["b_from_a"]))
        for p in json.loads(index.read_text(encoding="utf-8"))["pairs"]
    ]


def _write_pair(
    photo: Image.Image, folder: Path, conf: HomographySetConf, rng: np.random.Generator
) -> np.ndarray:
    W, H = size_for(photo.size, resize_max=conf.long_side, enlarge=True)
    image_a = photo.resize((W, H), Image.Resampling.BICUBIC)
    b_from_a_norm = random_view(
        rng,
        rotation_deg=conf.rotation_deg,
        log_scale=(np.log(1 - conf.scale), np.log(1 + conf.scale)),
        perspective=conf.perspective,
        aspect=W / H,
    )
    # pixel-index -> normalised, as a matrix
    norm_from_px = np.array([[2 / W, 0, 1 / W - 1], [0, 2 / H, 1 / H - 1], [0, 0, 1]])
    b_from_a = np.linalg.inv(norm_from_px) @ b_from_a_norm @ norm_from_px
    folder.mkdir(parents=True, exist_ok=True)
    image_a.save(folder / "a.png")
    _degraded(_warped(image_a, b_from_a), conf, rng).save(folder / "b.png")
    return b_from_a / b_from_a[2, 2]


def _warped(image: Image.Image, b_from_a: np.ndarray) -> Image.Image:
    """The image seen through a pixel-index homography, at its own size.

    Rendered at twice the size and averaged down, since a plain warp aliases where it shrinks.
    Outside the photo it is mirrored: a black edge would be a feature of its own.
    """
    W, H = image.size
    pad = max(W, H)
    mirrored = Image.fromarray(
        np.pad(np.asarray(image), ((pad, pad), (pad, pad), (0, 0)), mode="symmetric")
    )
    corner_from_index = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])  # Pillow's frame
    a_from_b = corner_from_index @ np.linalg.inv(b_from_a) @ np.linalg.inv(corner_from_index)
    into_padding = np.array([[1, 0, pad], [0, 1, pad], [0, 0, 1]])
    source_from_target = into_padding @ a_from_b @ np.diag([0.5, 0.5, 1])
    data = (source_from_target / source_from_target[2, 2]).flatten()[:8]
    twice = mirrored.transform(
        (2 * W, 2 * H), Image.Transform.PERSPECTIVE, list(data), Image.Resampling.BICUBIC
    )
    return twice.reduce(2)


def _degraded(image: Image.Image, conf: HomographySetConf, rng: np.random.Generator) -> Image.Image:
    image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0, conf.blur_px)))
    values = np.asarray(image, dtype=np.float32) / 255
    contrast = 1 + rng.uniform(-1, 1) * conf.contrast
    values = (values - values.mean()) * contrast + values.mean()
    values = values + rng.uniform(-1, 1) * conf.brightness
    values = values + rng.normal(size=values.shape) * conf.noise * rng.uniform()
    return Image.fromarray((values.clip(0, 1) * 255 + 0.5).astype(np.uint8))
