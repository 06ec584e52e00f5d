"""Data plug: pairs made from any folder of photos by homographies.

A window of a photo is cut out here and scaled to a canvas on the training device; both views look
at the canvas through homographies of their own (rotation from the whole circle, scale,
perspective, shift), so neither is the privileged, unwarped one.  A step's batch depends on the
seed and the step alone, so a resumed run sees what an uninterrupted one would have seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...io.images import ImageError, read_image, to_array
from ...io.listing import list_images
from .batch import PairBatch
from .bounded_cache import BoundedCache
from .view_sampling import ViewConf, inside, project, random_views, render_views, view_grid


@dataclass(frozen=True)
class HomographyConf(ViewConf):
    """How pairs are made from photos."""

    name: ClassVar[str] = "homography"

    perspective: float = 0.2  # corners move by up to this share of the half side
    window: tuple[float, float] = (0.6, 1.0)  # share of a photo's short side that a canvas shows


@dataclass(frozen=True)
class HomographySource:
    """Windows of photos, and what the two views see of them, scaled to canvases.

    windows                      B squares 3×h×h uint8, each of its own size
    canvas_from_a, canvas_from_b B×3×3 float64, normalised coordinates
    subjects                     which photo each pair is of
    """

    windows: Sequence[Tensor]
    canvas_from_a: Tensor
    canvas_from_b: Tensor
    photometric_seed: int
    conf: HomographyConf
    subjects: Sequence[int]

    def to(self, device: torch.device) -> PairBatch:
        grid = view_grid(self.conf.size, device=device)

        def seen(target_from_view: Tensor) -> Tensor:
            # Composed in double precision, applied in single: a ten-thousandth of a pixel.
            return project(target_from_view.float().to(device), grid)

        on_canvas_a, on_canvas_b = seen(self.canvas_from_a), seen(self.canvas_from_b)
        b_from_a = seen(torch.linalg.inv(self.canvas_from_b) @ self.canvas_from_a)
        a_from_b = seen(torch.linalg.inv(self.canvas_from_a) @ self.canvas_from_b)
        side = self.conf.canvas_px
        canvases = torch.cat([canvas(window, side, device=device) for window in self.windows])
        views = render_views(canvases, on_canvas_a, on_canvas_b)
        images_a, images_b = self.conf.photometric.on_views(views, seed=self.photometric_seed)
        # Both views look at one canvas, so a pixel off it in A is off it in B as well.
        return PairBatch(
            images_a=images_a,
            images_b=images_b,
            b_from_a=b_from_a,
            a_from_b=a_from_b,
            valid_a=inside(on_canvas_a) & inside(b_from_a),
            valid_b=inside(on_canvas_b) & inside(a_from_b),
        )


def canvas(window: Tensor, side: int, *, device: torch.device) -> Tensor:
    """A 3×h×h uint8 window -> 1×3×side×side float32 in [0, 255], bicubic with anti-aliasing."""
    # Not every torch has this filter for Apple's GPUs.
    place = torch.device("cpu") if device.type == "mps" else device
    pixels = window[None].to(place, non_blocking=True).float()
    if window.shape[-1] != side:
        pixels = F.interpolate(pixels, (side, side), mode="bicubic", antialias=True)
    return pixels.clamp_(0, 255).to(device)


def photo_files(places: Sequence[Path | str]) -> list[Path]:
    """All photos under the given folders; a place may be a photo itself.

    Raises FileNotFoundError when there are none.
    """
    found = []
    for place in map(Path, places):
        found += [place] if place.is_file() else [place / name for name in list_images(place)]
    if not found:
        raise FileNotFoundError(f"no photos under {', '.join(map(str, places))}")
    return found


class HomographyPairs:
    """Batches of homography pairs from the given photos, or folders of photos.

    Raises FileNotFoundError when there are none.  Photos that cannot be decoded are skipped for
    the next one.
    """

    Conf = HomographyConf
    needs_photos = True

    def __init__(self, photos: Sequence[Path | str], conf: HomographyConf, *, seed: int) -> None:
        self.conf, self.seed = conf, seed
        self.photos = photo_files(photos)
        self._pixels = BoundedCache(self._decode)

    def batch(self, step: int) -> HomographySource:
        conf = self.conf
        rng = np.random.default_rng((self.seed, step))
        subjects, windows = zip(*(self.window(rng) for _ in range(conf.batch)), strict=True)
        canvas_from_a, canvas_from_b = (
            random_views(rng, conf, perspective=conf.perspective) for _ in "ab"
        )
        return HomographySource(
            list(windows), canvas_from_a, canvas_from_b, int(rng.integers(2**62)), conf, subjects
        )

    def window(self, rng: np.random.Generator) -> tuple[int, Tensor]:
        """A random photo's number, and a 3×h×h uint8 window of it."""
        for _ in range(10):
            try:
                number = int(rng.integers(len(self.photos)))
                photo = self._pixels(self.photos[number])
                break
            except ImageError:
                continue
        else:
            raise ImageError("ten photos in a row could not be decoded; see the training folder")
        _, H, W = photo.shape
        window = int(min(H, W) * rng.uniform(*self.conf.window))
        x, y = int(rng.integers(W - window + 1)), int(rng.integers(H - window + 1))
        return number, torch.from_numpy(photo[:, y : y + window, x : x + window].copy())

    def _decode(self, path: Path) -> np.ndarray:
        """3×H×W uint8, no larger than canvases can show."""
        image = read_image(path)
        # At this short side a pixel of the smallest window is a pixel of its canvas.
        enough = self.conf.canvas_px / self.conf.window[0]
        scale = min(1.0, enough / min(image.size))
        W, H = (max(1, round(side * scale)) for side in image.size)
        return np.ascontiguousarray(to_array(image, (W, H)).transpose(2, 0, 1))
