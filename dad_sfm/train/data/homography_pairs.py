"""Data plug: pairs made from any folder of photos by homographies.

A window of a photo is decoded and scaled to a canvas; both views look at the canvas through
homographies of their own (rotation from the whole circle, scale, perspective, shift), so neither
is the privileged, unwarped one.  A step's batch depends on the seed and the step alone, so a
resumed run sees what an uninterrupted one would have seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ...images import ImageError, list_images, read_image
from .batch import PairBatch
from .looks import ViewConf, inside, look, project, random_looks, view_grid

KEPT_BYTES = 2_000_000_000  # of decoded photos, in each process: 900 of 1024×768


@dataclass(frozen=True)
class HomographyConf(ViewConf):
    """How pairs are made from photos."""

    perspective: float = 0.2  # corners move by up to this share of the half side
    window: tuple[float, float] = (0.6, 1.0)  # share of a photo's short side that a canvas shows


@dataclass(frozen=True)
class HomographySource:
    """Canvases and what the two views see of them.

    canvases                     B×3×S×S uint8
    canvas_from_a, canvas_from_b B×3×3 float64, normalised coordinates
    """

    canvases: Tensor
    canvas_from_a: Tensor
    canvas_from_b: Tensor
    photometric_seed: int
    conf: HomographyConf

    def on(self, device: torch.device) -> PairBatch:
        grid = view_grid(self.conf.size, device=device)

        def seen(target_from_view: Tensor) -> Tensor:
            # Composed in double precision, applied in single: a ten-thousandth of a pixel.
            return project(target_from_view.float().to(device), grid)

        on_canvas_a, on_canvas_b = seen(self.canvas_from_a), seen(self.canvas_from_b)
        b_from_a = seen(torch.linalg.inv(self.canvas_from_b) @ self.canvas_from_a)
        a_from_b = seen(torch.linalg.inv(self.canvas_from_a) @ self.canvas_from_b)
        views = look(self.canvases.to(device, non_blocking=True), on_canvas_a, on_canvas_b)
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

    def __init__(self, photos: Sequence[Path | str], conf: HomographyConf, *, seed: int) -> None:
        self.conf, self.seed = conf, seed
        self.photos = photo_files(photos)
        self._decoded: dict[Path, np.ndarray] = {}

    def batch(self, step: int) -> HomographySource:
        conf = self.conf
        rng = np.random.default_rng((self.seed, step))
        canvases = torch.stack([self._canvas(rng) for _ in range(conf.batch)])
        canvas_from_a, canvas_from_b = (
            random_looks(rng, conf, perspective=conf.perspective) for _ in "ab"
        )
        return HomographySource(
            canvases, canvas_from_a, canvas_from_b, int(rng.integers(2**62)), conf
        )

    def _canvas(self, rng: np.random.Generator) -> Tensor:
        """A 3×S×S uint8 window of a random photo."""
        side = self.conf.canvas_px
        for _ in range(10):
            try:
                photo = self._pixels(self.photos[int(rng.integers(len(self.photos)))])
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
        return torch.from_numpy(np.array(crop)).permute(2, 0, 1)

    def _pixels(self, path: Path) -> np.ndarray:
        """H×W×3 uint8.  Photos are kept as far as memory goes: decoding costs as much as a step."""
        if path in self._decoded:
            return self._decoded[path]
        photo = np.asarray(read_image(path))
        # A copy, for another thread may be adding one.
        if sum(kept.nbytes for kept in list(self._decoded.values())) + photo.nbytes <= KEPT_BYTES:
            self._decoded[path] = photo
        return photo
