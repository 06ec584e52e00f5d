"""Descriptors of one kind at the keypoints of any feature file: one descriptor for all detectors.

>>> describe_features.main("r2d2.h5", "photos", {"name": "aliked-n16"}, "r2d2+aliked-n16.h5")
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ..core import config
from ..core.device import choose_device
from ..core.progress import progress
from ..core.types import Features
from ..descriptors import DESCRIPTORS
from ..descriptors.base import Descriptor
from ..execution.loading import Preprocessing, load_photo
from ..geometry import pixel_frames
from ..io.store import FeatureReader, FeatureWriter

# Of the images that are described: the same for all detectors, whatever they worked on.
PREPROCESSING = Preprocessing(resize_max=1024, upright=False)


def main(
    features: Path | str,
    image_dir: Path | str,
    descriptor: Mapping[str, Any],
    described: Path | str,
    *,
    image_list: Iterable[str] | None = None,
    overwrite: bool = False,
    device: str = "auto",
) -> Path:
    """Write the keypoints and scores of a feature file with other descriptors; returns the path.

    features    of hloc's schema, ours or another tool's, with or without descriptors
    descriptor  ``name`` and options of one of `descriptors.DESCRIPTORS`
    described   the file to write; images that are in it already are left as they are
    image_list  only these; by default all of the file

    Raises `StoreError` for files that are not what is needed, `ImageError` for an image that
    cannot be used, `ConfigError` for an unknown name or option.
    """
    options = config.to_dict(DESCRIPTORS.conf(descriptor))
    options.pop("weights", None)  # the digest in the identity tells which they are
    chosen = torch.device(choose_device(device))
    describe: Descriptor = DESCRIPTORS.make(descriptor, device=str(chosen))
    with FeatureReader(features) as reader:
        names = reader.names() if image_list is None else list(image_list)
        provenance = {
            "keypoints": reader.provenance or {"file": reader.path.name},
            "keypoints_sha256": _digest(reader, names),
            "descriptor": {"name": descriptor["name"], **options},
            "preprocessing": config.to_dict(PREPROCESSING),
            "identity": {"descriptor": describe.identity},
        }
        with FeatureWriter(described, provenance, overwrite=overwrite) as writer:
            missing = [name for name in names if name not in writer]
            for name in progress(missing, "descriptors", unit="image"):
                found = reader.read(name, descriptors=False)
                writer.write(name, _described(found, Path(image_dir, name), describe, chosen))
    return Path(described)


def _digest(reader: FeatureReader, names: Iterable[str]) -> str:
    """Of the keypoints themselves: the bytes of a file change when it is opened for writing."""
    digest = hashlib.sha256()
    for name in names:
        digest.update(name.encode() + reader.read(name, descriptors=False).keypoints_px.tobytes())
    return digest.hexdigest()


@torch.inference_mode()
def _described(found: Features, path: Path, describe: Descriptor, device: torch.device) -> Features:
    photo = load_photo(path, PREPROCESSING)
    image = torch.from_numpy(photo.pixels).to(device).float() / 255
    points_px = pixel_frames.resized_px(
        found.keypoints_px, source_size=photo.original_size, target_size=photo.size
    )
    descriptors = describe(image, torch.from_numpy(points_px).float().to(device))
    return replace(found, descriptors=descriptors.cpu().numpy())
