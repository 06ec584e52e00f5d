"""What the page shows beyond the report: keypoints, verified matches and points, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...colmap.points import SparsePoints, read_points
from ...colmap.view_graph import Pair, read_inliers
from ...core.types import Features
from ...geometry import pixel_frames
from ...io.output import Output
from ...io.store import FeatureReader
from ..document import Report

MOST_IMAGES = 300  # whose keypoints and photo are in the page
MOST_LINES = 400_000  # of all pairs together


@dataclass
class ImageEvidence:
    """One image.

    features   as they stand in the file, without descriptors
    verified   N bool: in an inlier of a pair
    point      N int32: row of its point in the model, or -1
    """

    features: Features
    verified: np.ndarray
    point: np.ndarray

    @property
    def places(self) -> np.ndarray:
        """N×2 float in [0, 1]: where in the photo, as fractions of its width and height."""
        W, H = self.features.image_size
        return (pixel_frames.norm_from_px(self.features.keypoints_px, H=H, W=W) + 1) / 2


@dataclass(frozen=True)
class Evidence:
    """What was read from the files of an output folder.

    images   the images of which all is known, by name: all, or `MOST_IMAGES` of them
    inliers  K×2 keypoint numbers of each verified pair of those, no more than there is room for
    points   of the largest model, None without one
    """

    images: dict[str, ImageEvidence]
    inliers: dict[Pair, np.ndarray]
    points: SparsePoints | None


def read_evidence(report: Report, files: Output) -> Evidence:
    """Read what there is; a run that failed early has less of it."""
    names = [report.images[k].name for k in spread(len(report.images), MOST_IMAGES)]
    models = files.models() if report.models else []
    points = read_points(models[0], set(names)) if models else None
    images = _images(names, files, report.image_dir, points)
    pairs = [p.names for p in report.pairs if p.inliers and set(p.names) <= images.keys()]
    inliers: dict[Pair, np.ndarray] = {}
    room = max(8, MOST_LINES // max(1, len(pairs)))
    for pair, found in read_inliers(files.database, pairs) if pairs else ():
        for name, column in zip(pair, found.T, strict=True):
            images[name].verified[column] = True
        inliers[pair] = found[spread(len(found), room)]
    return Evidence(images, inliers, points)


def spread(count: int, most: int) -> np.ndarray:
    """Numbers of no more than so many of ``count`` things, evenly from first to last."""
    if count <= most:
        return np.arange(count)
    return np.linspace(0, count - 1, most).round().astype(int)


def _images(
    names: Sequence[str], files: Output, image_dir: str, points: SparsePoints | None
) -> dict[str, ImageEvidence]:
    if not files.features.is_file():
        return {}
    found = {}
    with FeatureReader(files.features, photos=image_dir) as reader:
        for name in names:
            if name not in reader:
                continue
            features = reader.read(name, descriptors=False)
            unseen = np.full(len(features), -1, np.int32)
            rows = points.rows.get(name, unseen) if points else unseen
            found[name] = ImageEvidence(features, np.zeros(len(features), bool), rows)
    return found
