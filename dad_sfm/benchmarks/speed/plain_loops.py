"""Extraction and matching as a plain loop does them: hloc's order of things in code of our own.

One image after the other: decode, resize, network, write.  One pair after the other: read both
images, similarities, best of every row and of every column, write.  No work is shared and nothing
overlaps, so in seconds of the processor these are no slower than hloc's own loops.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ...core.types import Features, Matches
from ...detectors.base import Detections
from ...geometry.pixel_frames import resized_px
from ...io.pairs_file import Pair
from ...io.store import FeatureReader, FeatureWriter, MatchWriter
from ...models.imagenet import normalize
from ...models.score_maps import nms, refine_subpixel, remove_borders, top_keypoints

Network = Callable[[Tensor], list[Detections]]


class PlainDaD:
    """DaD's own way from an image to points: the network as it was trained, and dense maps."""

    def __init__(self, network: nn.Module, *, number: int = 2048, device: str = "cpu") -> None:
        self._network, self._number = network.eval().to(device), number
        self._device = torch.device(device)

    def __call__(self, images: Tensor) -> list[Detections]:
        logits = self._network(normalize(images.to(self._device)))[:, 0]
        scores = logits.flatten(1).softmax(dim=1).view_as(logits)
        peaks = top_keypoints(remove_borders(nms(scores, 3), 4), self._number)
        return [
            Detections(refine_subpixel(own, points, 0.5), best)
            for own, (points, best) in zip(logits, peaks, strict=True)
        ]


def plain_extraction(
    network: Network, image_dir: Path, names: Sequence[str], path: Path, *, resize_max: int
) -> None:
    """Extract images one by one into a new feature file; sides become multiples of 8."""
    with FeatureWriter(path, {"made by": "a plain loop"}, overwrite=True) as writer:
        for name in names:
            with Image.open(image_dir / name) as opened:
                image = opened.convert("RGB")
            scale = min(1.0, resize_max / max(image.size))
            W, H = (int(side * scale) // 8 * 8 for side in image.size)
            pixels = np.asarray(image.resize((W, H), Image.Resampling.BICUBIC))
            with torch.inference_mode():
                tensor = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255
                (found,) = network(tensor)
            keypoints = resized_px(
                found.keypoints_px.cpu().numpy(), source_size=(W, H), target_size=image.size
            )
            descriptors = None if found.descriptors is None else found.descriptors.cpu().numpy()
            scores = found.scores.cpu().numpy()
            writer.write(name, Features(keypoints, scores, image.size, descriptors=descriptors))


@torch.inference_mode()
def plain_matching(features: Path, pairs: Sequence[Pair], path: Path) -> None:
    """Match pairs one by one, mutual nearest neighbours, into a new match file."""
    with (
        FeatureReader(features) as reader,
        MatchWriter(path, {"made by": "a plain loop"}, overwrite=True) as writer,
    ):
        for name0, name1 in pairs:
            a, b = (_descriptors(reader, name) for name in (name0, name1))
            similarity = torch.einsum("dn,dm->nm", a, b)
            scores, nearest = (found[:, 0] for found in similarity.topk(1, dim=1))
            _, back = similarity.T.topk(1, dim=1)
            mutual = back[nearest, 0] == torch.arange(len(nearest))
            matches = torch.where(mutual, nearest, -1).numpy().astype(np.int32)
            confidence = torch.where(mutual, (scores + 1) / 2, 0).numpy()
            writer.write(name0, name1, Matches(matches, confidence))


def _descriptors(reader: FeatureReader, name: str) -> Tensor:
    found = reader.read(name).descriptors
    assert found is not None
    return torch.from_numpy(np.ascontiguousarray(found.T)).float()
