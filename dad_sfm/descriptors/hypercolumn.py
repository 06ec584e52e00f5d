"""Hypercolumn: a learned descriptor that shares the encoder of a detector of the DaD family."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..core.device import has_fast_bf16
from ..core.registry import Licence
from ..models.checkpoints import CheckpointError, file_metadata
from ..models.dad import DaD
from ..models.dad_weights import find_weights
from ..models.encoding import Encoding
from ..models.folding import fold_batch_norm
from ..models.hypercolumn import DaDHypercolumn, Hypercolumn
from ..models.imagenet import normalize
from ..models.nano import Nano
from ..models.pretrained import Published, load_pretrained, load_weights

PUBLISHED = {
    "nano": Published("hypercolumn", filename="dad_nano_hypercolumn.safetensors"),
    # Nobody has trained one yet: `dad-sfm train descriptor --encoder dad`, then name the file.
    "dad": Published("dad-hypercolumn", filename="dad_hypercolumn.safetensors"),
}
NETWORKS = {"nano": (Nano, Hypercolumn), "dad": (DaD, DaDHypercolumn)}  # encoder, descriptor


@dataclass(frozen=True)
class HypercolumnConf:
    """Options of `HypercolumnPlugin`.

    encoder  the network whose features it was trained on; those of "dad" have no packaged weights
    weights  the checkpoint, a path or a URL
    """

    encoder: Literal["nano", "dad"] = "nano"
    weights: str | None = None


class HypercolumnPlugin:
    """Descriptors from the detector's own features; 128-D.

    With the detector whose encoder it was trained on, it takes the features that detection has
    computed anyway; at any other detector's points it runs that encoder itself.  Trained for
    rotations up to 40° and scales up to a factor of 1.8.
    """

    Conf = HypercolumnConf
    licence = Licence("MIT")

    def __init__(self, conf: HypercolumnConf, *, device: str = "cpu") -> None:
        published, (_, network_of) = PUBLISHED[conf.encoder], NETWORKS[conf.encoder]
        path = published.find(conf.weights)
        network, identity = load_pretrained(network_of(), published, path, device=device)
        self._conf, self._path = conf, path
        self._network = fold_batch_norm(network).to(memory_format=torch.channels_last)
        self._device = next(network.parameters()).device
        self._own_encoder: nn.Module | None = None
        self.encoder: str | None = file_metadata(path).get("encoder")
        self.identity: dict[str, Any] = {
            **identity,
            "dim": network.dim,
            "encoder": self.encoder,
        }

    @torch.inference_mode()
    def describe(self, encoding: Encoding, keypoints_px: Sequence[Tensor]) -> list[Tensor]:
        """Describe points of an encoded batch; see `EncodingDescriptor`."""
        H, W = encoding.images.shape[-2:]
        return [
            self._describe([each[i : i + 1] for each in encoding.features], points, (W, H))
            for i, points in enumerate(keypoints_px)
        ]

    @torch.inference_mode()
    def __call__(self, image: Tensor, keypoints_px: Tensor) -> Tensor:
        """Describe points of a 3×H×W image in [0, 1]; see `Descriptor`."""
        if self._own_encoder is None:
            self._own_encoder = self._load_encoder()
        H, W = image.shape[-2:]  # sides that are no multiples of the stride are padded
        stride = int(self._own_encoder.stride)  # type: ignore[arg-type]
        images = F.pad(image[None], (0, -W % stride, 0, -H % stride), mode="replicate")
        images = normalize(images.to(self._device)).contiguous(memory_format=torch.channels_last)
        H, W = images.shape[-2:]
        features = self._own_encoder.encode(images)  # type: ignore[operator]
        return self._describe(features, keypoints_px, (W, H))

    def _describe(
        self, features: Sequence[Tensor], keypoints_px: Tensor, size: tuple[int, int]
    ) -> Tensor:
        """Describe points of one image of ``size`` (W, H)."""
        if len(keypoints_px) == 0:
            return features[0].new_zeros(0, self._network.dim, dtype=torch.float32)
        maps = [each.float() for each in features]  # the detector may run in half precision
        # Trained in bfloat16, and as good in it; on other devices that was not measured.
        fast = self._device.type == "cpu" and has_fast_bf16(self._device)
        with torch.autocast(self._device.type, torch.bfloat16, fast):
            found: Tensor = self._network(maps, keypoints_px[None].to(self._device), size)[0]
        return found

    def _load_encoder(self) -> nn.Module:
        network = NETWORKS[self._conf.encoder][0]()
        path: Path = find_weights(self._conf.encoder)
        digest = load_weights(network, path)
        if self.encoder not in (None, digest):
            raise CheckpointError(
                f"{self._path} was trained on the features of other weights than {path}; take a "
                "descriptor of these"
            )
        return fold_batch_norm(network).to(self._device, memory_format=torch.channels_last)
