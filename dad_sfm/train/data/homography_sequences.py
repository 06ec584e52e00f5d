"""Data plug: sequences made from any folder of photos, by a view that glides over a photo.

The corners of the view move on straight lines from one random view to another, so neighbouring
frames differ by equal, small homographies, as those of a video do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from ...geometry.homography import CORNERS, apply, four_point
from .homography_pairs import HomographyConf, HomographyPairs, canvas
from .sequence_batch import SequenceBatch, SequenceConf, difficulty, stack_frames
from .view_sampling import inside, project, random_views, render_views, view_grid


@dataclass(frozen=True)
class HomographySequenceConf(SequenceConf, HomographyConf):
    """How sequences are made from photos; both ends of a sequence are random views."""

    name: ClassVar[str] = "homography"

    perspective: float = 0.12  # corners move by up to this share of the half side


@dataclass(frozen=True)
class HomographySequenceSource:
    """Windows of photos, and what the frames see of them, scaled to canvases.

    windows           B squares 3×h×h uint8, each of its own size
    canvas_from_view  B×(K+1)×3×3 float64, normalised coordinates, the reference first
    """

    windows: Sequence[Tensor]
    canvas_from_view: Tensor
    photometric_seed: int
    conf: HomographySequenceConf

    def to(self, device: torch.device) -> SequenceBatch:
        grid = view_grid(self.conf.size, device=device)
        views = self.canvas_from_view.unbind(dim=1)

        def seen(target_from_view: Tensor) -> Tensor:
            # Composed in double precision, applied in single: a ten-thousandth of a pixel.
            return project(target_from_view.float().to(device), grid)

        on_canvas = [seen(view) for view in views]
        warps = [seen(torch.linalg.inv(view) @ views[0]) for view in views[1:]]
        canvases = torch.cat(
            [canvas(window, self.conf.canvas_px, device=device) for window in self.windows]
        )
        images = render_views(canvases, *on_canvas)
        images = self.conf.photometric.on_views(images, seed=self.photometric_seed)
        # All frames look at one canvas, so a pixel off it in one is off it in the others as well.
        valid = [inside(on_canvas[0]) & inside(warp) for warp in warps]
        return stack_frames(images, warps, valid)


class HomographySequences:
    """Batches of sequences from the given photos, or folders of photos.

    Raises FileNotFoundError when there are none.
    """

    Conf = HomographySequenceConf
    needs_photos = True

    def __init__(
        self, photos: Sequence[Path | str], conf: HomographySequenceConf, *, seed: int
    ) -> None:
        self.conf, self.seed = conf, seed
        self._photos = HomographyPairs(photos, conf, seed=seed)

    def batch(self, step: int) -> HomographySequenceSource:
        conf = self.conf
        rng = np.random.default_rng((self.seed, step))
        windows = [self._photos.window(rng)[1] for _ in range(conf.batch)]
        first, last = (
            random_views(rng, conf, perspective=conf.perspective).numpy() for _ in range(2)
        )
        level = difficulty(step, conf.curriculum, classes=3)
        # The easier, the less of the way from one end to the other is gone.
        ways = rng.integers(3, size=conf.batch) if level is None else np.full(conf.batch, level)
        views = [
            glide(a, b, np.linspace(0, (way + 1) / 3, conf.frames + 1))
            for a, b, way in zip(first, last, ways, strict=True)
        ]
        return HomographySequenceSource(
            windows, torch.from_numpy(np.stack(views)), int(rng.integers(2**62)), conf
        )


def glide(first: np.ndarray, last: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Homographies on the way from one 3×3 homography of [-1, 1]² to another: N×3×3, for N shares
    of the way (0 = the first)."""
    start, end = apply(first, CORNERS), apply(last, CORNERS)
    return np.stack([four_point(CORNERS, (1 - t) * start + t * end) for t in shares])
