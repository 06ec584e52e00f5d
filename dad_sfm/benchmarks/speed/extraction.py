"""Extraction from the photo to the file: presets through the engine, peers through plain loops."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from ... import extract_features
from ...core.device import has_fast_bf16
from ...detectors import DETECTORS
from ...execution.extractor import Extractor
from ...execution.loading import PhotoLoader, Preprocessing
from ...execution.streaming import stream_features
from ...io.store import FeatureWriter
from ...models.checkpoints import CheckpointError
from ...models.networks import NETWORKS
from .plain_loops import PlainDaD, plain_extraction
from .timing import Timing, interleaved

Run = Callable[[], object]

# Through a plain loop, at the long side that their users choose.
PEERS: dict[str, tuple[dict[str, Any], int]] = {
    "SIFT, COLMAP's options": ({"name": "sift"}, 1600),
    "SIFT, hloc's options": ({"name": "sift", "first_octave": 0, "peak_threshold": 0.01}, 1600),
    "ALIKED-n16": ({"name": "aliked-n16"}, 1024),
}


@dataclass(frozen=True)
class Photos:
    """Photos to be timed on, and a folder for what is written."""

    image_dir: Path
    names: tuple[str, ...]
    work: Path


def engine(
    photos: Photos,
    conf: Mapping[str, Any],
    *,
    device: str = "cpu",
    workers: int | None = 1,
    batch_size: int | None = None,
) -> Run:
    """Extraction as `extract_features` does it by a preset, the weights loaded before.

    Raises `CheckpointError` when they are not at hand.
    """
    extractor = Extractor(conf["model"], device=device)
    preprocessing = Preprocessing(**conf["preprocessing"])

    def run() -> None:
        load = PhotoLoader(photos.image_dir, photos.names, preprocessing, stride=extractor.stride)
        found = stream_features(
            load, extractor, photos.names, workers=workers, batch_size=batch_size
        )
        with FeatureWriter(photos.work / "engine.h5", {}, overwrite=True) as writer:
            for name, features in found:
                if isinstance(features, Exception):
                    raise features
                writer.write(name, features)

    return run


def presets(photos: Photos, names: Sequence[str], **how: Any) -> dict[str, Run]:
    """The engine's contenders; those whose checkpoint is not at hand are left out."""
    found: dict[str, Run] = {}
    for name in names:
        with suppress(CheckpointError):
            found[name] = engine(photos, extract_features.preset(name), **how)
    return found


def decoded(photos: Photos, names: Sequence[str]) -> dict[str, Run]:
    """Detection and description of one photo that is in memory as each preset wants it; presets
    whose checkpoint is not at hand are left out."""
    found: dict[str, Run] = {}
    for name in names:
        conf = extract_features.preset(name)
        with suppress(CheckpointError):
            extractor = Extractor(conf["model"])
            photo = PhotoLoader(
                photos.image_dir,
                photos.names,
                Preprocessing(**conf["preprocessing"]),
                stride=extractor.stride,
            )(photos.names[0])
            found[name] = partial(extractor, [photo])
    return found


def peers(photos: Photos) -> dict[str, Run]:
    """Plain loops around peers, and around OpenCV's SIFT and ORB where it is installed."""
    found: dict[str, Run] = {}
    for name, (model, resize_max) in PEERS.items():
        with suppress(CheckpointError):
            found[f"{name}, plain loop"] = plain(photos, DETECTORS.make(model), resize_max)
    return {**found, **_opencv(photos)}


def plain(photos: Photos, network: Any, resize_max: int) -> Run:
    """A plain loop around a network."""
    path = photos.work / "plain.h5"
    return partial(
        plain_extraction, network, photos.image_dir, photos.names, path, resize_max=resize_max
    )


def full_network(photos: Photos, *, resize_max: int = 1024, device: str = "cpu") -> dict[str, Run]:
    """The published DaD network by the engine and by a plain loop.

    Its weights are random, which makes no difference to the time as long as the logits differ as
    trained ones do: those of untrained layers are so much alike that maxima tie.
    """
    torch.manual_seed(0)
    network = NETWORKS.plugin("dad")()
    with torch.no_grad():
        for refiner in network.decoder.layers.values():
            refiner.out_conv.weight[:1] *= 100
    weights = photos.work / "dad.pth"
    torch.save(network.state_dict(), weights)
    conf = extract_features.preset("dad")
    conf["model"]["weights"] = str(weights)
    conf["preprocessing"] = {"resize_max": resize_max}
    found = {
        "dad, plain loop": plain(photos, PlainDaD(network, device=device), resize_max),
        "dad": engine(photos, conf, device=device),
    }
    if has_fast_bf16(torch.device(device)):
        conf = copy.deepcopy(conf)
        conf["model"]["precision"] = "bfloat16"
        found["dad, bfloat16"] = engine(photos, conf, device=device)
    return found


def stages(photos: Photos, preset: str, *, repeats: int) -> dict[str, Timing]:
    """The parts of one image's extraction, each on its own: what there is to gain where."""
    conf = extract_features.preset(preset)
    extractor = Extractor(conf["model"])
    preprocessing = Preprocessing(**conf["preprocessing"])
    load = PhotoLoader(photos.image_dir, photos.names, preprocessing, stride=extractor.stride)
    name = photos.names[0]
    photo = load(name)
    with torch.inference_mode():
        images = torch.from_numpy(photo.pixels)[None].float() / 255
        detector: Any = extractor.detector
        encoding = detector.encode(images)
        (points,) = detector.detect(encoding)
        features = extractor([photo])[0]
        descriptor = extractor.descriptor
        parts: dict[str, Run] = {
            "decode": lambda: load(name),
            "network": lambda: detector.encode(images),
            "select": lambda: detector.detect(encoding),
        }
        if descriptor is not None:
            parts["describe"] = lambda: descriptor(images[0], points.keypoints_px)
        with FeatureWriter(photos.work / "stages.h5", {}, overwrite=True) as writer:
            parts["write"] = lambda: writer.write(name, features)
            return interleaved(parts, repeats=repeats)


def by_options(
    photos: Photos, preset: str, options: Mapping[str, Sequence[int]], *, repeats: int, **how: Any
) -> dict[str, Timing]:
    """Curves: the engine with other numbers of keypoints, other long sides (smaller photos are
    enlarged to them), other batches."""
    runs: dict[str, Run] = {}
    for points in options.get("keypoints", ()):
        conf = extract_features.preset(preset)
        conf["model"]["max_keypoints"] = points
        runs[f"{points} keypoints"] = engine(photos, conf, **how)
    for side in options.get("long side", ()):
        conf = extract_features.preset(preset)
        conf["preprocessing"] = {"resize_max": side, "resize_force": True}
        runs[f"long side {side}"] = engine(photos, conf, **how)
    for batch in options.get("batch", ()):
        conf = extract_features.preset(preset)
        runs[f"batches of {batch}"] = engine(photos, conf, batch_size=batch, **how)
    return interleaved(runs, items=len(photos.names), repeats=repeats)


def _opencv(photos: Photos) -> dict[str, Run]:
    try:
        import cv2
    except ImportError:
        return {}
    cv2.setNumThreads(1)
    kinds = {"OpenCV SIFT": cv2.SIFT_create(8192), "OpenCV ORB": cv2.ORB_create(2048)}

    def run(detector: Any) -> None:
        for name in photos.names:
            grey = cv2.imread(str(photos.image_dir / name), cv2.IMREAD_GRAYSCALE)
            scale = min(1.0, 1600 / max(grey.shape))
            small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            detector.detectAndCompute(small, None)

    return {name: partial(run, detector) for name, detector in kinds.items()}
