"""``dad-sfm pairs``"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..core.arguments import add_set
from ..pairing import PAIRING

SUMMARY = "step 2: names -> pairs file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("output", type=Path, help="pairs file to write")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--feature-file", type=Path, help="feature file whose images to pair")
    source.add_argument("--image-list", type=Path, help="text file, a name per line")
    parser.add_argument("--image-dir", type=Path, help="folder of images, for spatial pairs")
    parser.add_argument(
        "--strategy",
        default="exhaustive",
        help=f"{', '.join(PAIRING.names)}, or several with a plus: spatial+sequential",
    )
    add_set(parser, "options of the strategies: overlap=5 spatial.neighbors=8")


def run(options: argparse.Namespace) -> int:
    from .. import pairs

    path = pairs.main(
        options.output,
        image_list=options.image_list,
        features=options.feature_file,
        image_dir=options.image_dir,
        strategy=options.strategy,
        **dict(options.set),
    )
    print(path)
    return 0
