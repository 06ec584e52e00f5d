"""Detection with shapes that do not depend on the image's content, as a graph can hold it.

`DaDDetector.select` works on lists of maxima, which no exporter can follow.  This twin has fixed
numbers of candidates and padded rows instead, and chooses the same points (the tests compare them).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..detectors.dad.balance import SIGMA, WEIGHED, share_inside
from ..detectors.dad.detector import BORDER, DaDDetector
from ..detectors.dad.orientations import mean_logits
from ..models.imagenet import normalize
from ..models.score_maps import refine_subpixel

NO_POINT = -1.0  # score of a row that stands for no point
_BLOCKS = 8  # pieces in which candidates are weighed, for the sake of memory


class KeypointGraph(nn.Module):
    """The points of one image by a detector of the DaD family.

    Of tied maxima within one window all stay, where `DaDDetector` keeps the first: on photos float
    scores do not tie.
    """

    def __init__(self, detector: DaDDetector) -> None:
        super().__init__()
        self.network = detector.network
        self.stride = detector.stride
        self.orientations = detector.orientations
        self.nms_size = detector.nms_size
        self.border = BORDER if detector.remove_borders else 0
        self.balance = detector.balance
        self.subpixel_temp = detector.subpixel_temp if detector.subpixel else None
        self.outside_logit = detector.outside_logit

    def logits(self, image: Tensor) -> Tensor:
        """1×3×H×W RGB in [0, 1], of any size -> H×W; the border is repeated to fill strides."""
        H, W = image.shape[-2:]
        missing = (0, -W % self.stride, 0, -H % self.stride)
        padded = F.pad(normalize(image), missing, mode="replicate")
        return mean_logits(self.network, padded, self.orientations)[0, 0, :H, :W]

    def forward(self, image: Tensor, num_keypoints: int) -> tuple[Tensor, Tensor]:
        """1×3×H×W RGB in [0, 1] -> N×2 pixel-index points and their N scores, best first.

        N is always ``num_keypoints``: rows without a point have the score `NO_POINT`.
        """
        logits = self.logits(image)
        H, W = logits.shape
        scores = self._peaks(logits.flatten().softmax(dim=0).view(H, W))
        is_blank = (image.amax(dim=(2, 3)) == image.amin(dim=(2, 3))).all()
        scores = torch.where(is_blank, 0, scores).flatten()
        rows, columns = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
        grid = torch.stack([columns, rows], dim=-1).flatten(0, 1)

        # There are as many candidates as asked for, however small the image.
        count = num_keypoints + (WEIGHED if self.balance else 0)
        best, index = F.pad(scores, (0, count)).topk(count)
        points = grid[index.clamp(max=H * W - 1)]
        if self.balance:
            points, best = self._balanced(points, best, (W, H))
            points, best = points[:num_keypoints], best[:num_keypoints]
        refined = points.float()
        if self.subpixel_temp is not None:
            refined = refine_subpixel(
                logits, points, self.subpixel_temp, outside=self.outside_logit
            )
        return refined, torch.where(best > 0, best, NO_POINT)

    def _peaks(self, scores: Tensor) -> Tensor:
        """H×W scores, zero but at the maxima of their windows inside the border."""
        r = self.nms_size // 2
        window = F.max_pool2d(scores[None], (1, self.nms_size), stride=1, padding=(0, r))
        window = F.max_pool2d(window, (self.nms_size, 1), stride=1, padding=(r, 0))[0]
        inside = [
            (at >= self.border) & (at < length - self.border)
            for length in scores.shape
            for at in [torch.arange(length)]
        ]
        keep = (scores == window) & inside[0][:, None] & inside[1]
        return torch.where(keep, scores, 0)

    def _balanced(
        self, points: Tensor, best: Tensor, size: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        """`balance.balanced_keypoints` of all pairs, N > `WEIGHED`."""
        xy, own = points[:WEIGHED].float(), best[:WEIGHED]
        sigma = SIGMA * torch.sym_max(*size)
        known = own.clamp(min=torch.finfo(own.dtype).tiny)
        total = torch.cat(
            [
                self._crowd(some, scores, xy, own, sigma)
                for some, scores in zip(xy.chunk(_BLOCKS), own.chunk(_BLOCKS), strict=True)
            ]
        )
        others = ((total - own) / known).clamp(min=0)
        crowded = 1 + others / share_inside(xy, size, self.border, sigma)
        divided, order = (own * crowded**-self.balance).topk(WEIGHED)
        rest = best[WEIGHED:] * (divided[-1] / known[-1])
        return torch.cat([points[:WEIGHED][order], points[WEIGHED:]]), torch.cat([divided, rest])

    @staticmethod
    def _crowd(some: Tensor, scores: Tensor, xy: Tensor, own: Tensor, sigma: float) -> Tensor:
        squared = (some[:, None, 0] - xy[:, 0]) ** 2 + (some[:, None, 1] - xy[:, 1]) ** 2
        near = torch.exp(squared * (-0.5 / sigma**2))
        return (near * torch.minimum(scores[:, None], own)).sum(dim=1)
