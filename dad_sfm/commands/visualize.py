"""``dad-sfm visualize``"""

from __future__ import annotations

import argparse
from pathlib import Path

from .shared import add_detector, add_device, features_conf

SUMMARY = "picture of an image's keypoints"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", type=Path)
    parser.add_argument("picture", type=Path, help="picture to write")
    parser.add_argument(
        "--features", "--conf", dest="conf", default="dad-nano", metavar="NAME", help="preset"
    )
    parser.add_argument("--feature-file", type=Path, help="draw from this feature file instead")
    parser.add_argument("--name", help="the image's name in the feature file (default: its own)")
    parser.add_argument(
        "--light-dark", action="store_true", help="colour light keypoints warm, dark ones blue"
    )
    add_detector(parser)
    parser.set_defaults(max_keypoints=1024)
    add_device(parser)


def run(options: argparse.Namespace) -> int:
    from tempfile import TemporaryDirectory

    from .. import extract_features
    from ..core.config import ConfigError
    from ..evaluation.polarity import light_keypoints
    from ..io.images import read_image
    from ..io.store import FeatureReader
    from ..report.drawing import draw_keypoints, draw_light_and_dark

    if options.feature_file is not None and (options.weights or options.set):
        raise ConfigError(
            "--feature-file brings its own points: --weights and --set do not go with it"
        )
    image, name = read_image(options.image), options.name or options.image.name
    with TemporaryDirectory() as folder:
        path = options.feature_file
        if path is None:
            conf = features_conf(options)
            conf["model"].pop("descriptor", None)
            name = options.image.name
            path = extract_features.main(
                conf, options.image.parent, folder, image_list=[name], device=options.device
            )
        with FeatureReader(path) as reader:
            features = reader.read(name, descriptors=False)
    shown = features.keypoints_px[: options.max_keypoints]
    if options.light_dark:
        picture = draw_light_and_dark(image, shown, light_keypoints(options.image, shown))
    else:
        picture = draw_keypoints(image, shown)
    options.picture.parent.mkdir(parents=True, exist_ok=True)
    picture.save(options.picture)
    print(options.picture)
    return 0
