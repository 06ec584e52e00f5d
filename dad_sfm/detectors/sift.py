"""SIFT, detector and descriptor, as COLMAP runs it on the CPU: a peer to be measured against."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from kornia.color import rgb_to_grayscale
from torch import Tensor
from torch.nn.functional import normalize

from ..core.registry import Licence
from ..geometry.pixel_frames import px_from_colmap
from .base import Detections, unmasked

DIM = 128
Extract = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class SIFTConf:
    """Options of COLMAP's SIFT, with its names and defaults (hloc's differ: it starts at octave 0,
    on a quarter of the pixels, with a higher threshold).

    max_keypoints         the largest in scale are kept, which is COLMAP's own rule
    first_octave          -1 detects on the image enlarged twice, 0 on the image as it is
    octave_resolution     scales per octave
    peak_threshold        least contrast, of an image in [0, 1]
    edge_threshold        highest ratio of the principal curvatures
    max_num_orientations  a point with two clear orientations becomes two keypoints at one place;
                          1 makes every keypoint a place of its own
    upright               descriptors keep the image's axes
    """

    max_keypoints: int = 8192
    first_octave: int = -1
    octave_resolution: int = 3
    peak_threshold: float = 0.02 / 3
    edge_threshold: float = 10.0
    max_num_orientations: int = 2
    upright: bool = False


class SIFT:
    """Difference-of-Gaussian points with RootSIFT descriptors; the score is the scale in pixels."""

    Conf = SIFTConf
    licence = Licence("BSD-3-Clause (COLMAP)")
    stride = 1

    def __init__(self, conf: SIFTConf, *, device: str = "cpu") -> None:
        """``device`` is where tensors are put; SIFT itself runs on the CPU."""
        if conf.max_keypoints < 1:
            raise ValueError("sift: max_keypoints must be at least 1")
        self._device = torch.device(device)
        self._max_keypoints = conf.max_keypoints
        self._conf = conf
        self._own = threading.local()  # COLMAP's extractor holds the image that it works on
        self.identity: dict[str, Any] = {"name": "sift", "dim": DIM}

    def __call__(self, images: Tensor, masks: Tensor | None = None) -> list[Detections]:
        """Detect and describe in a batch of B×3×H×W images in [0, 1]; see `Detector`."""
        grey = rgb_to_grayscale(images.detach()).clamp(0, 1).cpu().float()
        if masks is None:
            if not hasattr(self._own, "extract"):
                self._own.extract = _colmap_sift(self._conf)
            extract, most = self._own.extract, self._max_keypoints
            return [self._detect(image[0].numpy(), extract, most) for image in grey]
        # COLMAP looks everywhere: among all of its points are those of the mask.
        everything = _colmap_sift(replace(self._conf, max_keypoints=grey[0].numel()))
        return [
            unmasked(self._detect(image[0].numpy(), everything, None), mask, self._max_keypoints)
            for image, mask in zip(grey, masks, strict=True)
        ]

    def _detect(self, grey: np.ndarray, extract: Extract, most: int | None) -> Detections:
        found, described = extract(np.ascontiguousarray(grey))
        keypoints = torch.from_numpy(found.astype(np.float32).reshape(-1, 4)).to(self._device)
        descriptors = torch.from_numpy(described.astype(np.float32).reshape(-1, DIM))
        scales, order = keypoints[:, 2].sort(descending=True, stable=True)
        order = order[:most]
        return Detections(
            px_from_colmap(keypoints[order, :2]),
            scales[: len(order)],
            # COLMAP rounds descriptors to bytes: their length is 1 within a few thousandths.
            normalize(descriptors.to(self._device)[order], dim=1),
            scales=keypoints[order, 2],
            oris=keypoints[order, 3].rad2deg(),
        )


def _colmap_sift(conf: SIFTConf) -> Extract:
    """H×W float32 in [0, 1] -> N×4 (x, y, scale, orientation in radians from x towards y) in the
    COLMAP frame, and N×128 descriptors."""
    import pycolmap

    options = pycolmap.FeatureExtractionOptions()
    options.use_gpu = False
    sift = options.sift
    sift.normalization = pycolmap.Normalization.L1_ROOT
    sift.max_num_features = conf.max_keypoints
    for name in (
        "first_octave",
        "octave_resolution",
        "peak_threshold",
        "edge_threshold",
        "max_num_orientations",
        "upright",
    ):
        setattr(sift, name, getattr(conf, name))
    cpu = pycolmap.Device.cpu
    if not hasattr(pycolmap, "FeatureExtractor"):  # before COLMAP 4
        old = pycolmap.Sift(options, device=cpu)

        def extract_old(grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            keypoints, descriptors = old.extract(grey)
            return keypoints[:, :4], descriptors

        return extract_old

    extractor = pycolmap.FeatureExtractor.create(options, device=cpu)

    def extract(grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        keypoints, descriptors = extractor.extract_from_float32_array(grey)
        points = [(p.x, p.y, p.compute_scale(), p.compute_orientation()) for p in keypoints]
        return np.array(points, np.float32), np.asarray(descriptors.data)

    return extract
