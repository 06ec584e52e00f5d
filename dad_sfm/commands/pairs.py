"""``dad-sfm pairs``"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..pairing import PAIRING

SUMMARY = "step 2: names -> pairs file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("output", type=Path, help="pairs file to write")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--feature-file", type=Path, help="feature file whose images to pair")
    source.add_argument("--image-list", type=Path, help="text file, a name per line")
    parser.add_argument("--strategy", default="exhaustive", choices=PAIRING.names)
    parser.add_argument("--overlap", type=int, default=10, help="sequential: next images")
    parser.add_argument(
        "--quadratic",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="sequential: also 1, 2, 4, 8, ... images on",
    )
    parser.add_argument("--loop", action="store_true", help="sequential: the last meets the first")


def run(options: argparse.Namespace) -> int:
    from .. import pairs

    sequential = {name: getattr(options, name) for name in ("overlap", "quadratic", "loop")}
    path = pairs.main(
        options.output,
        image_list=options.image_list,
        features=options.feature_file,
        strategy=options.strategy,
        **(sequential if options.strategy == "sequential" else {}),
    )
    print(path)
    return 0
