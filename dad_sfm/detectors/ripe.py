"""RIPE, detector and descriptor: the published network by path, and networks trained here.

Kuenzel, Hilsmann, Eisert, ICCV 2025.  The published weights may not be used commercially, and are
never downloaded: the user names the file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from ..core.registry import Licence, warn_of_licence
from ..models.imagenet import normalize
from ..models.pretrained import Published, load_pretrained, load_weights
from ..models.ripe import RIPE, HypercolumnNetwork, RIPEDaD, RIPENano
from .base import Detections

_LICENCE = Licence("non-commercial research only (Fraunhofer HHI)", commercial=False)
_PUBLISHED = Published(
    "ripe", filename="ripe_weights.pth", page="https://github.com/fraunhoferhhi/RIPE"
)


@dataclass(frozen=True)
class RIPEConf:
    """Options of all of them.

    detection_threshold  minimum logit: 0.5, or 1 in the publication's benchmarks
    border               px from the edge of the image in which no point is taken
    weights              the checkpoint, a path or a URL
    """

    max_keypoints: int = 2048
    detection_threshold: float = 0.5
    border: int = 16
    weights: str | None = None


def best_pixels(
    logits: Tensor, threshold: float, most: int | None, *, allowed: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Local maxima of 3×3 pixels, the highest first: N×2 int64 pixels (x, y), N logits.

    logits   H×W
    allowed  H×W bool: no point elsewhere
    """
    peaks = (logits == max_pool2d(logits[None, None], 3, stride=1, padding=1)[0, 0]) & (
        logits > threshold
    )
    if allowed is not None:
        peaks &= allowed
    y, x = peaks.nonzero(as_tuple=True)
    scores, order = logits[y, x].sort(descending=True, stable=True)
    order = order[:most]
    return torch.stack([x, y], dim=-1)[order], scores[:most]


class RIPEPlugin:
    """The highest logits at whole pixels; their scores are logits over the highest of the image."""

    Conf = RIPEConf
    licence = _LICENCE
    stride = 8
    network: ClassVar[Callable[[], HypercolumnNetwork]] = RIPE
    published: ClassVar[Published] = _PUBLISHED

    def __init__(self, conf: RIPEConf, *, device: str = "cpu") -> None:
        if conf.max_keypoints < 1 or conf.border < 0:
            raise ValueError("ripe: max_keypoints must be at least 1, border at least 0")
        self._conf = conf
        network, identity = load_pretrained(
            type(self).network(), self.published, conf.weights, device=device
        )
        self._network = network
        self._device = next(network.parameters()).device
        self.identity: dict[str, Any] = {**identity, "dim": network.dim}

    @torch.inference_mode()
    def __call__(self, images: Tensor, masks: Tensor | None = None) -> list[Detections]:
        """Detect and describe in a batch of B×3×H×W images in [0, 1]; see `Detector`."""
        inputs = normalize(images.to(self._device))
        features = self._network.encode(inputs)
        logits = self._network.decode(features, inputs)[:, 0]
        found = []
        for number, each in enumerate(logits):
            allowed = _away_from_border(each, self._conf.border)
            if masks is not None:
                allowed &= masks[number].to(allowed.device)
            points, scores = best_pixels(
                each, self._conf.detection_threshold, self._conf.max_keypoints, allowed=allowed
            )
            of_image = [f[number : number + 1] for f in features]
            described = self._network.describe(
                of_image, points.float()[None], inputs[number : number + 1]
            )
            found.append(Detections(points.float(), scores / each.max(), described[0]))
        return found


class RIPEDaDPlugin(RIPEPlugin):
    """DaD's network with a descriptor, trained by `dad-sfm train ripe --network ripe-dad`."""

    licence = Licence("network MIT, written here; weights are your own")
    network: ClassVar[Callable[[], HypercolumnNetwork]] = RIPEDaD
    published = Published("ripe-dad", filename="ripe_dad.safetensors")


class RIPENanoPlugin(RIPEDaDPlugin):
    """Nano with a descriptor, trained by `dad-sfm train ripe --network ripe-nano`."""

    network = RIPENano
    published = Published("ripe-nano", filename="ripe_nano.safetensors")


def _away_from_border(logits: Tensor, border: int) -> Tensor:
    allowed = torch.zeros_like(logits, dtype=torch.bool)
    H, W = logits.shape
    allowed[border : H - border, border : W - border] = True
    return allowed


class VGGHyper(RIPE):
    """The published network as its users know it; see `vgg_hyper`."""

    @torch.inference_mode()
    def detectAndCompute(
        self,
        img: Tensor,
        threshold: float = 0.5,
        top_k: int | None = 2048,
        output_aux: bool = False,
    ) -> Any:
        """Detect and describe in one image.

        img        3×H×W or 1×3×H×W RGB, in [0, 1] or of bytes; ImageNet's normalisation is done
                   here
        threshold  minimum logit
        top_k      maximum number of points; None for all
        returns    N×2 float32 pixel positions (x, y), whose centres are whole numbers; N×256
                   descriptors of unit length; N scores, logits over the highest of the image; the
                   best first.  With ``output_aux`` also a dict of ``heatmap`` (1×1×H×W logits),
                   ``descs`` (the features, fine to coarse) and ``conv`` (the layer that makes
                   descriptors of them)

        Raises `ValueError` for a batch of several images.
        """
        self.eval()
        image = img[None] if img.dim() == 3 else img
        if image.dim() != 4 or image.shape[:2] != (1, 3):
            raise ValueError(
                f"detectAndCompute takes one RGB image, 3×H×W or 1×3×H×W, not {tuple(img.shape)}"
            )
        pixels = image / 255 if image.dtype == torch.uint8 else image.float()
        inputs = normalize(pixels)
        features = self.encode(inputs)
        heatmap = self.decode(features, inputs)
        points, scores = best_pixels(heatmap[0, 0], threshold, top_k)
        described = self.describe(features, points.float()[None], inputs)[0]
        found = points.float(), described, scores / heatmap.max()
        if not output_aux:
            return found
        head = self.conv_dim_reduction_coarse_desc
        return (*found, {"heatmap": heatmap, "descs": features, "conv": head})


def vgg_hyper(model_path: Path | str | None = None) -> VGGHyper:
    """Load RIPE's network with the published weights, as the original package does.

    ``model_path`` is the file, or a URL; without, ``ripe_weights.pth`` is looked for in the
    folders of checkpoints.  Warns that they are not for commercial use.  Raises
    `CheckpointError` when there is none, or another network's.
    """
    network = VGGHyper()
    load_weights(network, _PUBLISHED.find(model_path), name="ripe")
    warn_of_licence("ripe's published weights", _LICENCE)
    return network.eval()
