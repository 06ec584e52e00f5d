"""Data plug: pairs made from any folder of photos by homographies.

A window of a photo is decoded and scaled to a canvas; both views look at the canvas through
homographies of their own (rotation from the whole circle, scale, perspective, shift), so neither
is the privileged, unwarped one.  A step's batch depends on the seed and the step alone, so a
resumed run sees what an uninterrupted one would have seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ..homography import random_view
from ..images import ImageError, list_images, read_image
from .batch import PairBatch
from .photometric import Photometric


@dataclass(frozen=True)
class HomographyConf:
    """How pairs are made from photos."""

    size: int = 256  # side of a training view, px
    batch: int = 8  # pairs a step
    rotation_deg: float = 180.0  # each view, uniformly up to this either way
    scale: float = 1.4  # each view, log-uniform in [1/scale, scale]
    perspective: float = 0.2  # corners move by up to this share of the half side
    shift_px: float = 32.0  # each view, uniformly up to this either way
    canvas: float = 1.5  # side of the canvas over side of a view
    window: tuple[float, float] = (0.6, 1.0)  # share of a photo's short side that a canvas shows
    photometric: Photometric = field(default_factory=Photometric)


class HomographyPairs:
    """Batches of homography pairs from all photos under the given folders.

    Raises FileNotFoundError when there are none.  Photos that cannot be decoded are skipped for
    the next one.
    """

    def __init__(self, folders: Sequence[Path | str], conf: HomographyConf, *, seed: int) -> None:
        self.conf, self.seed = conf, seed
        self.photos = [Path(f) / name for f in folders for name in list_images(f)]
        if not self.photos:
            raise FileNotFoundError(f"no photos under {', '.join(map(str, folders))}")
        # Photos are decoded once: 700 of 1024 px take 1.5 GB, and decoding would cost as much
        # as a training step.
        self._decode = lru_cache(maxsize=1500)(_decode)

    def batch(self, step: int) -> PairBatch:
        """The pairs of one step, on the CPU."""
        conf = self.conf
        rng = np.random.default_rng((self.seed, step))
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        canvases = torch.stack([self._canvas(rng) for _ in range(conf.batch)])
        # canvas_from_view, both in normalised coordinates
        canvas_from_a = _homographies(conf, rng)
        canvas_from_b = _homographies(conf, rng)
        grid = view_grid(conf.size)
        on_canvas_a, on_canvas_b = (project(h, grid) for h in (canvas_from_a, canvas_from_b))
        b_from_a = project(torch.linalg.inv(canvas_from_b) @ canvas_from_a, grid)
        a_from_b = project(torch.linalg.inv(canvas_from_a) @ canvas_from_b, grid)

        def view(on_canvas: Tensor) -> Tensor:
            # Reflection: a view that looks past the photo sees no black edge to learn from.
            image = F.grid_sample(
                canvases, on_canvas.float(), padding_mode="reflection", align_corners=False
            )
            return conf.photometric(image, generator)

        # Both views look at one canvas, so a pixel off it in A is off it in B as well.
        return PairBatch(
            images_a=view(on_canvas_a),
            images_b=view(on_canvas_b),
            b_from_a=b_from_a.float(),
            a_from_b=a_from_b.float(),
            valid_a=_inside(on_canvas_a) & _inside(b_from_a),
            valid_b=_inside(on_canvas_b) & _inside(a_from_b),
        )

    def _canvas(self, rng: np.random.Generator) -> Tensor:
        side = round(self.conf.size * self.conf.canvas)
        for _ in range(10):
            try:
                photo = self._decode(self.photos[int(rng.integers(len(self.photos)))])
                break
            except ImageError:
                continue
        else:
            raise ImageError("ten photos in a row could not be decoded; see the training folder")
        H, W = photo.shape[:2]
        window = int(min(H, W) * rng.uniform(*self.conf.window))
        x, y = int(rng.integers(W - window + 1)), int(rng.integers(H - window + 1))
        crop = Image.fromarray(photo[y : y + window, x : x + window])
        crop = crop.resize((side, side), Image.Resampling.BICUBIC)
        return torch.from_numpy(np.array(crop)).permute(2, 0, 1).float() / 255


def _decode(path: Path) -> np.ndarray:
    return np.asarray(read_image(path))


_FAR = 1e3  # normalised; finite, so that reading a warp between pixels makes no NaN


def view_grid(size: int) -> Tensor:
    """size×size×2 normalised pixel centres (float64)."""
    centres = (torch.arange(size, dtype=torch.float64) * 2 + 1) / size - 1
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    return torch.stack([x, y], dim=-1)


def project(homography: Tensor, points: Tensor) -> Tensor:
    """Apply B×3×3 homographies to H×W×2 points -> B×H×W×2; points behind go far away."""
    mapped = torch.einsum("bij,hwj->bhwi", homography, F.pad(points, (0, 1), value=1.0))
    depth = mapped[..., 2:]
    return torch.where(depth > 1e-6, mapped[..., :2] / depth.clamp(min=1e-6), _FAR)


def _inside(points_norm: Tensor) -> Tensor:
    return (points_norm.abs() < 1).all(dim=-1)


def _homographies(conf: HomographyConf, rng: np.random.Generator) -> Tensor:
    """B random canvas_from_view homographies in normalised coordinates."""
    spread, centre = math.log(conf.scale), -math.log(conf.canvas)
    shift = 2 * conf.shift_px / (conf.size * conf.canvas)
    views = [
        random_view(
            rng,
            rotation_deg=conf.rotation_deg,
            log_scale=(centre - spread, centre + spread),
            perspective=conf.perspective,
            shift=(shift, shift),
        )
        for _ in range(conf.batch)
    ]
    return torch.from_numpy(np.stack(views))
