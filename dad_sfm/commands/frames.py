"""``dad-sfm frames``"""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "a video -> its sharpest frames as photos"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("video", type=Path)
    parser.add_argument("folder", type=Path, help="of the photos to write")
    parser.add_argument(
        "--rate", type=float, default=2.0, help="frames per second that are kept (2)"
    )


def run(options: argparse.Namespace) -> int:
    from ..io.video_frames import FramesConf, extract_frames

    print(extract_frames(options.video, options.folder, FramesConf(options.rate)))
    return 0
