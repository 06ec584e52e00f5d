"""From photos to features: a detector, and a descriptor at its points where one is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..core import config
from ..core.registry import Licence, Registry
from ..core.types import Features
from ..descriptors import DESCRIPTORS
from ..descriptors.base import Descriptor, EncodingDescriptor
from ..detectors import DETECTORS
from ..detectors.base import Detections, Detector, EncodingDetector
from ..geometry import pixel_frames
from ..io.images import read_image, size_for, to_array


@dataclass(frozen=True)
class Preprocessing:
    """How images are resized, in hloc's words.

    resize_max    long side in px of the image that is worked on, None for the original size
    resize_force  enlarge smaller images to it too
    """

    resize_max: int | None = None
    resize_force: bool = False


@dataclass(frozen=True)
class Photo:
    """A decoded image, ready for the detector.

    pixels         3×H×W uint8 RGB, resized
    original_size  (W, H) of the file
    """

    pixels: np.ndarray
    original_size: tuple[int, int]

    @property
    def size(self) -> tuple[int, int]:
        """(W, H) of the pixels."""
        _, H, W = self.pixels.shape
        return W, H


def load_photo(path: Path, preprocessing: Preprocessing, *, stride: int = 1) -> Photo:
    """Decode and resize a file.  Raises `ImageError`."""
    return prepare(read_image(path), preprocessing, stride=stride)


def prepare(image: Image.Image, preprocessing: Preprocessing, *, stride: int = 1) -> Photo:
    """Resize an RGB image, both sides to multiples of ``stride``."""
    size = size_for(
        image.size,
        resize_max=preprocessing.resize_max,
        enlarge=preprocessing.resize_force,
        stride=stride,
    )
    pixels = to_array(image, size).transpose(2, 0, 1)
    return Photo(np.ascontiguousarray(pixels), image.size)


class Extractor:
    """The detector, and perhaps a descriptor, that a ``model`` dict of a preset describes.

    ``model`` holds ``name`` and the options of a detector; ``descriptor``, a dict with ``name``
    and options, takes the place of the descriptors that a detector may bring itself.  Raises
    `ConfigError` on unknown names and options.
    """

    def __init__(self, model: Mapping[str, Any], *, device: str = "cpu") -> None:
        options = dict(model)
        describe = options.pop("descriptor", None)
        # Both are checked before either loads its weights.
        self._conf = {"detector": _described(DETECTORS, options)}
        if describe is not None:
            self._conf["descriptor"] = _described(DESCRIPTORS, describe)
        self._device = torch.device(device)
        self.detector: Detector = DETECTORS.make(options, device=device)
        self.descriptor: Descriptor | None = (
            DESCRIPTORS.make(describe, device=device) if describe is not None else None
        )

    @property
    def stride(self) -> int:
        return self.detector.stride

    @property
    def provenance(self) -> dict[str, Any]:
        """The whole configuration, defaults included, and what the plug-ins say they are."""
        made: dict[str, Any] = {"detector": self.detector.identity}
        if self.descriptor is not None:
            made["descriptor"] = self.descriptor.identity
        return {**self._conf, "identity": made}

    @torch.inference_mode()
    def __call__(self, photos: Sequence[Photo]) -> list[Features]:
        """Features of photos of one size, in pixels of their files."""
        batch = torch.from_numpy(np.stack([photo.pixels for photo in photos]))
        images = batch.to(self._device).float() / 255
        found = self._detect_and_describe(images)
        return [self._features(*each) for each in zip(photos, found, strict=True)]

    def _detect_and_describe(self, images: Tensor) -> list[Detections]:
        if self.descriptor is None:
            return self.detector(images)
        if self._shares_encoder():
            encoding = self.detector.encode(images)  # type: ignore[attr-defined]
            found = self.detector.detect(encoding)  # type: ignore[attr-defined]
            points = [each.keypoints_px.to(self._device) for each in found]
            described = self.descriptor.describe(encoding, points)  # type: ignore[attr-defined]
        else:
            found = self.detector(images)
            described = [
                self.descriptor(image, each.keypoints_px.to(self._device))
                for image, each in zip(images, found, strict=True)
            ]
        return [replace(f, descriptors=d) for f, d in zip(found, described, strict=True)]

    def _shares_encoder(self) -> bool:
        """Whether the descriptor was trained on the features that the detector computes."""
        if not isinstance(self.descriptor, EncodingDescriptor):
            return False
        weights = self.detector.identity.get("weights")
        shares = isinstance(self.detector, EncodingDetector)
        return shares and self.descriptor.encoder in (None, weights)

    def _features(self, photo: Photo, found: Detections) -> Features:
        keypoints_px = pixel_frames.resized_px(
            _numpy(found.keypoints_px), source_size=photo.size, target_size=photo.original_size
        )
        scale = max(w / v for w, v in zip(photo.original_size, photo.size, strict=True))
        return Features(
            keypoints_px,
            _numpy(found.scores),
            photo.original_size,
            descriptors=_optional(found.descriptors),
            scales=None if found.scales is None else _numpy(found.scales) * scale,
            oris=_optional(found.oris),
            covariances=None if found.covariances is None else _numpy(found.covariances) * scale**2,
            uncertainty_px=getattr(self.detector, "detection_noise", 1.0) * scale,
        )


def licences(model: Mapping[str, Any]) -> list[Licence]:
    """The terms of the plug-ins that a ``model`` dict names, each once."""
    plugins = [DETECTORS.plugin(model["name"])]
    if describe := model.get("descriptor"):
        plugins.append(DESCRIPTORS.plugin(describe["name"]))
    return list(dict.fromkeys(plugin.licence for plugin in plugins))


def _described(registry: Registry, options: Mapping[str, Any]) -> dict[str, Any]:
    """The checked options with every default, less where the weights lie.

    Which weights they are is told by the digest in the plug-in's identity: the same file at
    another place makes the same features.
    """
    values = config.to_dict(registry.conf(options))
    values.pop("weights", None)
    return {"name": options["name"], **values}


def _optional(tensor: Tensor | None) -> np.ndarray | None:
    return None if tensor is None else _numpy(tensor)


def _numpy(tensor: Tensor) -> np.ndarray:
    return tensor.detach().float().cpu().numpy()
