"""DaD, light, dark and nano as plug-ins of the extraction step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from ...core.registry import Licence
from ...models.encoding import Encoding
from ...models.imagenet import normalize
from ..base import Detections
from .loaders import NanoVariant, Variant, load_DaD
from .orientations import Orientations

Precision = Literal["float32", "bfloat16", "float16"]


@dataclass(frozen=True)
class DaDConf:
    """Options of DaD; their meaning is that of `load_DaD`."""

    max_keypoints: int = 2048
    nms_size: int = 3
    remove_borders: bool = True
    subpixel: bool = True
    subpixel_temp: float = 0.5
    precision: Precision = "float32"
    orientations: Orientations = 1
    balance: float = 0.0
    weights: str | None = None
    variant: Literal["dad", "light", "dark"] = "dad"


@dataclass(frozen=True)
class NanoConf:
    """Options of nano; their meaning is that of `load_DaD`."""

    max_keypoints: int = 2048
    nms_size: int = 7
    remove_borders: bool = True
    subpixel: bool = True
    subpixel_temp: float = 2.5
    precision: Precision = "float32"
    orientations: Orientations = 1
    balance: float = 1.0
    weights: str | None = None
    variant: NanoVariant = "nano"


class DaDFamilyPlugin:
    """What DaD and nano share.

    detector  the network with everything around it
    """

    describes = False

    def __init__(self, conf: DaDConf | NanoConf, variant: Variant, device: str) -> None:
        amp_dtype = None if conf.precision == "float32" else getattr(torch, conf.precision)
        self.detector = load_DaD(
            nms_size=conf.nms_size,
            remove_borders=conf.remove_borders,
            subpixel=conf.subpixel,
            subpixel_temp=conf.subpixel_temp,
            weights_path=conf.weights,
            device=device,
            amp_dtype=amp_dtype,
            outside_logit=-math.inf,
            orientations=conf.orientations,
            balance=conf.balance,
            variant=variant,
        )
        self._max_keypoints = conf.max_keypoints
        self.stride = self.detector.stride
        self.identity: dict[str, Any] = {
            "name": variant if variant == "dad" else f"dad-{variant}",
            "weights": self.detector.weights_sha256,
        }

    def __call__(self, images: Tensor, masks: Tensor | None = None) -> list[Detections]:
        """Detect in a batch of B×3×H×W float32 RGB images in [0, 1]; see `Detector`."""
        return self.detect(self.encode(images), masks)

    def encode(self, images: Tensor) -> Encoding:
        """Run the network on B×3×H×W float32 RGB images in [0, 1]."""
        return self.detector.encode(normalize(images))

    def detect(self, encoding: Encoding, masks: Tensor | None = None) -> list[Detections]:
        """Detect in an encoded batch."""
        found, _ = self.detector.select(encoding, self._max_keypoints, masks)
        return [Detections(points, scores) for points, scores in found]


class DaDPlugin(DaDFamilyPlugin):
    """DaD, or one of its teachers (`DaDConf.variant`)."""

    Conf = DaDConf
    licence = Licence("MIT, weights MIT (Parskatt/dad)")

    def __init__(self, conf: DaDConf, *, device: str = "cpu") -> None:
        super().__init__(conf, conf.variant, device)


class NanoPlugin(DaDFamilyPlugin):
    """The compact network that comes with the package, or one of its teachers."""

    Conf = NanoConf
    licence = Licence("MIT")

    def __init__(self, conf: NanoConf, *, device: str = "cpu") -> None:
        super().__init__(conf, conf.variant, device)
