"""The page's data: one index and binary arrays, each base64 of gzip, for web/js/evidence.js."""

from __future__ import annotations

import base64
import gzip
import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from ...core.types import Features
from ...geometry.cameras import CameraModel
from ...io.images import ImageError
from ...io.output import Output
from ..document import ImageReport, Report
from .evidence import Evidence, ImageEvidence, spread
from .photos import SmallPhoto, side_for, small_photo
from .view import first_view, pose

logger = logging.getLogger(__name__)

MOST_POINTS = 200_000
MOST_KEYPOINTS = 500_000  # of all images together
LIGHT, VERIFIED = 1, 2  # flags, as in web/js/evidence.js


class Payload:
    """Packs what the scripts of the page read.

    model, truth  the largest model, and the true cameras in its frame; None where there is none
    photos        small photos that are there already
    """

    def __init__(
        self,
        report: Report,
        files: Output,
        evidence: Evidence,
        model: CameraModel | None,
        truth: CameraModel | None,
        photos: Mapping[str, SmallPhoto],
    ) -> None:
        self._report, self._files, self._evidence = report, files, evidence
        self._model, self._truth, self._photos = model, truth, photos
        most = max(256, MOST_KEYPOINTS // max(1, len(evidence.images)))
        self._kept = {name: _kept(image, most) for name, image in evidence.images.items()}
        self._rows = spread(len(evidence.points or ()), MOST_POINTS)

    def blobs(self) -> Iterator[tuple[str, str]]:
        """Yield the id and the base64 text of each part; photos are plain JPEGs."""
        pairs, lines = self._pairs()
        yield "index", packed(json.dumps(self._index(pairs), allow_nan=False).encode())
        yield "lines", packed(lines.tobytes())
        if self._evidence.points is not None:
            yield "points", packed(self._points())
        side = side_for(len(self._evidence.images))
        for number, image in enumerate(self._report.images):
            found = self._evidence.images.get(image.name)
            if found is None:
                continue
            photo = self._photo(image.name, found.features, side)
            light = photo.light if photo else np.zeros(len(found.features), bool)
            if photo:
                yield f"t{number}", base64.b64encode(photo.jpeg).decode("ascii")
            yield f"k{number}", packed(self._keypoints(found, light, self._kept[image.name]))

    def _photo(self, name: str, features: Features, side: int) -> SmallPhoto | None:
        ready = self._photos.get(name)
        if ready is not None and ready.side == side:
            return ready
        try:
            return small_photo(Path(self._report.image_dir) / name, features, side)
        except (ImageError, FileNotFoundError) as error:
            logger.warning("not in the report page: %s", error)
            return None

    def _index(self, pairs: list[list[int]]) -> dict[str, Any]:
        points = self._evidence.points
        view = None
        if self._model and self._model.images:
            xyz = points.xyz if points is not None else np.zeros((0, 3))
            view = first_view(self._model, xyz)
        images = [self._image(image) for image in self._report.images]
        return {"images": images, "pairs": pairs, "points": len(self._rows), "view": view}

    def _image(self, image: ImageReport) -> dict[str, Any]:
        found, points = self._evidence.images.get(image.name), self._evidence.points
        error = None
        if found is not None and points is not None and (found.point >= 0).any():
            error = float(points.errors_px[found.point[found.point >= 0]].mean())
        beside = self._files.images.exists()
        return {
            "name": image.name,
            "size": found.features.image_size if found else (4, 3),
            "keypoints": image.keypoints,
            "shown": len(self._kept[image.name]) if found else 0,
            "verified": int(found.verified.sum()) if found else None,
            "points": image.points,
            "error": error,
            "position_error": image.position_error,
            "rotation_error": image.rotation_error_deg,
            "why": image.explanation,
            "pose": _pose(self._model, image.name),
            "truth": _pose(self._truth, image.name),
            "file": f"images/{quote(image.name)}" if beside else None,
        }

    def _pairs(self) -> tuple[list[list[int]], np.ndarray]:
        """Each pair: numbers of its images, matches, inliers, first line, lines; and all lines."""
        number = {image.name: k for k, image in enumerate(self._report.images)}
        rows, lines, start = [], [np.zeros((0, 2), np.uint32)], 0
        for pair in self._report.pairs:
            if not number.keys() >= set(pair.names):
                continue
            found = np.zeros((0, 2), np.int64)
            if pair.names in self._evidence.inliers:
                found = self._among_kept(pair.names, self._evidence.inliers[pair.names])
            numbers = [number[name] for name in pair.names]
            rows.append([*numbers, pair.matches, pair.inliers, start, len(found)])
            lines.append(found.astype(np.uint32))
            start += len(found)
        return rows, np.concatenate(lines)

    def _among_kept(self, names: tuple[str, str], inliers: np.ndarray) -> np.ndarray:
        """Keypoint numbers of the file -> those of the page; lines of others are left out."""
        columns = []
        for name, column in zip(names, inliers.T, strict=True):
            place = np.full(len(self._evidence.images[name].features), -1)
            place[self._kept[name]] = np.arange(len(self._kept[name]))
            columns.append(place[column])
        found = np.stack(columns, axis=-1)
        return found[(found >= 0).all(axis=1)]

    def _points(self) -> bytes:
        points = self._evidence.points
        assert points is not None
        first = np.full(len(points), np.iinfo(np.uint16).max, np.uint16)
        for number, image in reversed(list(enumerate(self._report.images))):
            if (found := self._evidence.images.get(image.name)) is not None:
                first[found.point[found.point >= 0]] = number
        arrays = (
            points.xyz.astype("<f4"),
            np.rint(1000 * points.errors_px).clip(0, 65535).astype("<u2"),
            points.track_lengths.clip(0, 65535).astype("<u2"),
            first.astype("<u2"),
            points.colours,
        )
        return b"".join(array[self._rows].tobytes() for array in arrays)

    def _keypoints(self, image: ImageEvidence, light: np.ndarray, kept: np.ndarray) -> bytes:
        shown = np.full(len(self._evidence.points or ()) + 1, -1, np.int32)  # the last is of -1
        shown[self._rows] = np.arange(len(self._rows))
        # A point that is not shown still makes its keypoint a triangulated one: -2.
        of_point = np.where(shown[image.point] < 0, -2, shown[image.point])
        point = np.where(image.point < 0, -1, of_point)
        scores = image.features.scores
        rank = 1 - np.argsort(np.argsort(-scores, kind="stable")) / max(1, len(scores) - 1)
        flags = LIGHT * light + VERIFIED * image.verified
        arrays = (
            point.astype("<i4"),
            np.rint(65535 * image.places.clip(0, 1)).astype("<u2"),
            np.rint(255 * rank).astype(np.uint8),
            flags.astype(np.uint8),
        )
        return b"".join(array[kept].tobytes() for array in arrays)


def packed(data: bytes) -> str:
    """Base64 of gzip; the same bytes give the same text."""
    return base64.b64encode(gzip.compress(data, 6, mtime=0)).decode("ascii")


def _kept(image: ImageEvidence, most: int) -> np.ndarray:
    """Numbers of the keypoints in the page: those of points first, then verified, then by score."""
    worth = 2 * (image.point >= 0) + image.verified
    return np.sort(np.lexsort([-image.features.scores, -worth])[:most])


def _pose(model: CameraModel | None, name: str) -> dict[str, Any] | None:
    if model is None or name not in model.images:
        return None
    return pose(model.images[name], model.camera_of(name))
