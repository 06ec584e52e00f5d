"""From photos to features: a detector, and a descriptor at its points where one is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core import config
from ..core.registry import Licence, Registry
from ..core.types import Features
from ..descriptors import DESCRIPTORS
from ..descriptors.base import Descriptor, EncodingDescriptor
from ..detectors import DETECTORS
from ..detectors.base import Detections, Detector, EncodingDetector, unmasked
from .loading import Photo


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
        self.device = torch.device(device)
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
        if self.device.type == "cuda":
            batch = batch.pin_memory()
        images = batch.to(self.device, non_blocking=True).float() / 255
        found = self._detect_and_describe(images, _masks(photos))
        return [self._features(*each) for each in zip(photos, found, strict=True)]

    def _detect_and_describe(self, images: Tensor, masks: Tensor | None) -> list[Detections]:
        encoding = None
        # A plug-in of a user's that knows no masks still works on photos without.
        masked = () if masks is None else (masks,)
        if self._shares_encoder():
            encoding = self.detector.encode(images)  # type: ignore[attr-defined]
            found = self.detector.detect(encoding, *masked)  # type: ignore[attr-defined]
        else:
            found = self.detector(images, *masked)
        if masks is not None:
            found = [unmasked(f, mask) for f, mask in zip(found, masks, strict=True)]
        if self.descriptor is None:
            return found
        points = [each.keypoints_px.to(self.device) for each in found]
        if encoding is not None:
            described = self.descriptor.describe(encoding, points)  # type: ignore[attr-defined]
        else:
            described = [self.descriptor(*each) for each in zip(images, points, strict=True)]
        return [replace(f, descriptors=d) for f, d in zip(found, described, strict=True)]

    def _shares_encoder(self) -> bool:
        """Whether the descriptor was trained on the features that the detector computes."""
        if not isinstance(self.descriptor, EncodingDescriptor):
            return False
        weights = self.detector.identity.get("weights")
        shares = isinstance(self.detector, EncodingDetector)
        return shares and self.descriptor.encoder in (None, weights)

    def _features(self, photo: Photo, found: Detections) -> Features:
        oris, covariances = _optional(found.oris), _optional(found.covariances)
        return Features(
            photo.stored_px(_numpy(found.keypoints_px)),
            _numpy(found.scores),
            photo.original_size,
            descriptors=_optional(found.descriptors),
            scales=None if found.scales is None else _numpy(found.scales) * photo.scale,
            oris=None if oris is None else photo.stored_degrees(oris),
            covariances=None if covariances is None else photo.stored_covariances(covariances),
            uncertainty_px=getattr(self.detector, "detection_noise", 1.0) * photo.scale,
        )


def licences(model: Mapping[str, Any]) -> list[Licence]:
    """The terms of the plug-ins that a ``model`` dict names, each once."""
    plugins = [DETECTORS.plugin(model["name"])]
    if describe := model.get("descriptor"):
        plugins.append(DESCRIPTORS.plugin(describe["name"]))
    return list(dict.fromkeys(plugin.licence for plugin in plugins))


def descriptor_name(model: Mapping[str, Any]) -> str | None:
    """The name of the descriptors that a ``model`` dict gives, without loading it; None for points
    alone."""
    options = {key: value for key, value in model.items() if key != "descriptor"}
    if describe := model.get("descriptor"):
        return _with_variant(str(describe["name"]), DESCRIPTORS.conf(describe))
    if not getattr(DETECTORS.plugin(model["name"]), "describes", True):
        return None
    return _with_variant(str(model["name"]), DETECTORS.conf(options))


def _with_variant(name: str, conf: Any) -> str:
    """The name of the weights: ALIKED and EdgePoint2 have several under one name."""
    variant = getattr(conf, "variant", None)
    return name if variant is None else f"{name.partition('-')[0]}-{variant}".lower()


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


def _masks(photos: Sequence[Photo]) -> Tensor | None:
    """B×H×W, True where keypoints may be; None where they may be everywhere."""
    if all(photo.mask is None for photo in photos):
        return None
    everywhere = np.ones(photos[0].pixels.shape[1:], dtype=bool)
    masks = [everywhere if photo.mask is None else photo.mask for photo in photos]
    return torch.from_numpy(np.stack(masks))


def _numpy(tensor: Tensor) -> np.ndarray:
    return tensor.detach().float().cpu().numpy()
