"""``dad-sfm figure probabilities``"""

from __future__ import annotations

import argparse
from pathlib import Path

from .shared import add_device

SUMMARY = "the probability map of a detector of the DaD family"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", type=Path)
    parser.add_argument("picture", type=Path, help="picture to write")
    parser.add_argument("--features", default="dad-nano", metavar="NAME", help="preset")
    parser.add_argument("--weights", help="checkpoint of the detector: a path or a URL")
    parser.add_argument(
        "--overlay", action="store_true", help="draw the map over the photo, in yellow"
    )
    add_device(parser)


def run(options: argparse.Namespace) -> int:
    from .. import extract_features
    from ..core.config import ConfigError
    from ..core.device import choose_device
    from ..detectors import DETECTORS
    from ..detectors.dad import DaDDetector
    from ..io.images import read_image
    from ..report.drawing import draw_probabilities, overlay_probabilities

    model = dict(extract_features.preset(options.features)["model"])
    model.pop("descriptor", None)
    if options.weights:
        model["weights"] = options.weights
    image = read_image(options.image)
    plugin = DETECTORS.make(model, device=str(choose_device(options.device)))
    detector = getattr(plugin, "detector", None)
    if not isinstance(detector, DaDDetector):
        raise ConfigError(f"{options.features} has no map of probabilities; DaD's presets have one")
    found = detector.detect_from_path(options.image, num_keypoints=1, return_dense_probs=True)
    probs = found["dense_probs"][0].cpu().numpy()
    options.picture.parent.mkdir(parents=True, exist_ok=True)
    picture = overlay_probabilities(image, probs) if options.overlay else draw_probabilities(probs)
    picture.save(options.picture)
    print(options.picture)
    return 0
