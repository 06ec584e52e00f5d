"""``dad-sfm figure matches``"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..core.arguments import count

SUMMARY = "the matches of two photos of a reconstruction, inliers green"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=Path, help="output folder of a reconstruction")
    parser.add_argument("name0", help="name of the first photo")
    parser.add_argument("name1")
    parser.add_argument("picture", type=Path, help="picture to write")
    parser.add_argument("--only", choices=["inliers", "outliers"], help="default: both")
    parser.add_argument("--limit", type=count, metavar="N", help="at most N of them, evenly chosen")
    parser.add_argument("--side", type=count, default=1024, help="long side of each photo, px")


def run(options: argparse.Namespace) -> int:
    from ..io.images import read_image
    from ..io.output import Output
    from ..report.drawing import draw_matches
    from ..report.originals import photo_path
    from ..report.pair import read_pair

    files, names = Output(options.out), (options.name0, options.name1)
    found = read_pair(files, *names).only(options.only).some(options.limit)
    image0, image1 = (read_image(photo_path(files, name)) for name in names)
    picture = draw_matches(
        image0,
        image1,
        found.points0_px,
        found.points1_px,
        inliers=found.inliers,
        resize_max=options.side,
    )
    options.picture.parent.mkdir(parents=True, exist_ok=True)
    picture.save(options.picture)
    print(f"{options.picture}: {len(found.inliers)} matches, {found.inliers.sum()} inliers")
    return 0
