"""Networks of object keypoints and their weights files, which say what was trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ..core.device import choose_device
from .checkpoints import CheckpointError
from .networks import NETWORKS
from .pretrained import load_weights

METADATA = "object_keypoints"  # key of a weights file's metadata: network and options, as JSON


class ObjectKeypoints(Protocol):
    """A network of object keypoints."""

    channels: int  # of the features
    sigma: float

    def locate(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """B×K×2 points, B×C×h×w features, and error maps where there are any."""
        ...

    def keypoints_px(self, points: Tensor) -> Tensor:
        """Pixel-index points in the frame."""
        ...


def metadata_of(network: str, options: dict[str, Any]) -> dict[str, str]:
    """What a weights file must say for `load_object_keypoints`."""
    return {METADATA: json.dumps({"network": network, **options}, sort_keys=True)}


def load_object_keypoints(
    path: Path | str, *, device: str = "cpu"
) -> tuple[ObjectKeypoints, dict[str, Any]]:
    """The network of a weights file, ready for inference, and what the file says of it.

    Raises `CheckpointError` for a file that is not one of a run of permakey or transporter.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            said = (file.metadata() or {}).get(METADATA)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file") from None
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path}: not a weights file ({error})") from error
    if said is None:
        raise CheckpointError(
            f"{path}: not the weights of object keypoints; take weights.safetensors or "
            "best.safetensors of a run of `dad-sfm train permakey` or `transporter`"
        )
    options = json.loads(said)
    shape = {key: value for key, value in options.items() if key != "network"}
    network: nn.Module = NETWORKS.plugin(options["network"])(**shape)
    load_weights(network, path)
    network = network.to(choose_device(device)).eval().requires_grad_(False)
    return network, options  # type: ignore[return-value]


def frames_to_tensor(frames: Any, device: torch.device | str = "cpu") -> Tensor:
    """B×H×W×3 uint8 array -> B×3×H×W float32 in [0, 1]."""
    return torch.from_numpy(frames).to(device).permute(0, 3, 1, 2).float() / 255
