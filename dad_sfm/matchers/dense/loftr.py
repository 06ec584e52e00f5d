"""LoFTR as a warp: what it matches on a grid of 8 pixels, and affinely in between.

Sun et al., "LoFTR: Detector-Free Local Feature Matching with Transformers", CVPR 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from kornia.color import rgb_to_grayscale
from torch import Tensor

from ...geometry import pixel_frames
from ...geometry.mappings import Warp
from ...io.images import size_for, to_array
from ...models.loftr import LICENCE, STRIDE, Variant, load_loftr
from ..at_keypoints import LinkConf
from ..base import View
from .base import DenseMatcher

_HALF = 0.5  # its pixel centres are at (x + 0.5, y + 0.5)
_STEPS = [step for step in product((-1, 0, 1), repeat=2) if step != (0, 0)]


@dataclass(frozen=True)
class LoFTRConf(LinkConf):
    """
    variant     weights: outdoor, indoor or indoor_new
    weights     their checkpoint: a path or a URL; by default the published one
    resize_max  long side of the images that it works on; larger ones cost memory and time with
                the fourth power
    threshold   least score of a match of grid cells
    """

    variant: Variant = "outdoor"
    weights: str | None = None
    resize_max: int = 840
    threshold: float = 0.2


class LoFTR(DenseMatcher):
    """Matches cells of image 0 with points of image 1; run both ways, since only the points of
    the second image are sub-pixel."""

    Conf = LoFTRConf
    licence = LICENCE

    def __init__(self, conf: LoFTRConf, *, device: str = "cpu") -> None:
        super().__init__(conf)
        self._resize_max = conf.resize_max
        self._network, self.identity = load_loftr(
            conf.variant, conf.weights, threshold=conf.threshold, device=device
        )
        self._device = next(self._network.parameters()).device

    @torch.inference_mode()
    def warp(self, view0: View, view1: View) -> Warp:
        """Where the points of image 0 are in image 1."""
        encoded = {"features0": self._encode(view0), "features1": self._encode(view1)}
        found = self._network(encoded)
        cells_px, points_px, scores = (
            found[key].double().cpu().numpy() for key in ("keypoints0", "keypoints1", "confidence")
        )
        size0, size1 = self._size(view0), self._size(view1)
        return warp_of_cells(cells_px / STRIDE, points_px - _HALF, scores, size0, size1)

    def _size(self, view: View) -> tuple[int, int]:
        return size_for(view.photo.size, resize_max=self._resize_max)

    def _encode(self, view: View) -> dict[str, Tensor]:
        return view.once("loftr", lambda: self._network.extract_features(self._image(view)))

    def _image(self, view: View) -> Tensor:
        """1×1×H×W in [0, 1]."""
        pixels = np.ascontiguousarray(to_array(view.photo, self._size(view)).transpose(2, 0, 1))
        image = torch.from_numpy(pixels).to(self._device).float() / 255
        return rgb_to_grayscale(image[None])


def warp_of_cells(
    cells: np.ndarray,
    points_px: np.ndarray,
    scores: np.ndarray,
    size0: tuple[int, int],
    size1: tuple[int, int],
) -> Warp:
    """The warp of matches between grid points and points.

    cells         K×2 (column, row): the point at (8 column - 0.5, 8 row - 0.5) of image 0,
                  pixel-index frame
    points_px     K×2 pixel-index points of image 1
    size0, size1  (W, H) of the images that were matched
    """
    (W0, H0), (W1, H1) = size0, size1
    columns, rows = -(-W0 // STRIDE), -(-H0 // STRIDE)
    grid, certainty = np.full((rows, columns, 2), np.nan), np.zeros((rows, columns))
    x, y = np.rint(cells).astype(int).T
    grid[y, x] = pixel_frames.norm_from_px(points_px, H=H1, W=W1)
    certainty[y, x] = scores
    # The first grid point is on the outer corner of the first pixel.
    left, top = -1 - STRIDE / W0, -1 - STRIDE / H0
    extent = (left, top, left + 2 * columns * STRIDE / W0, top + 2 * rows * STRIDE / H0)
    return Warp(_continued(grid), certainty, extent)


def _continued(grid: np.ndarray) -> np.ndarray:
    """Unknown (NaN) points next to two known ones in a row carry their line on, on average: so a
    keypoint beside an unmatched point is still moved, with less certainty."""
    H, W, _ = grid.shape
    padded = np.pad(grid, ((2, 2), (2, 2), (0, 0)), constant_values=np.nan)

    def shifted(dy: int, dx: int) -> np.ndarray:
        return padded[2 + dy : 2 + dy + H, 2 + dx : 2 + dx + W]

    lines = np.stack([2 * shifted(dy, dx) - shifted(2 * dy, 2 * dx) for dy, dx in _STEPS])
    known = np.isfinite(lines)
    count = known.sum(axis=0)
    mean = np.where(known, lines, 0).sum(axis=0) / np.maximum(count, 1)
    return np.where(np.isfinite(grid), grid, np.where(count > 0, mean, np.nan))
