"""``dad-sfm odometry``"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..core.arguments import count
from .shared import add_device

SUMMARY = "frames or a video of a calibrated camera -> its path"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", type=Path, help="folder of frames, KITTI's root, or a video")
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--id", help="sequence of KITTI's layout: sequences/ID, poses/ID.txt")
    parser.add_argument(
        "--intrinsics",
        nargs=4,
        type=float,
        metavar=("FX", "FY", "CX", "CY"),
        help="intrinsics in pixels, if SOURCE/gt has no model",
    )
    parser.add_argument(
        "--rate", type=float, default=10.0, help="frames per second of a video (10)"
    )
    parser.add_argument("--max-frames", type=count, metavar="N", help="at most N frames")
    parser.add_argument("--features", default="dad-nano+rootsift", help="feature preset")
    parser.add_argument(
        "--max-keypoints", type=count, help="keypoints per frame (default: the preset's)"
    )
    parser.add_argument("--weights", help="checkpoint of the detector: a path or a URL")
    parser.add_argument("--tracking", choices=("descriptors", "klt"), default="descriptors")
    parser.add_argument("--matcher", default="NN-ratio", help="matcher preset")
    parser.add_argument(
        "--max-error", type=float, default=1.0, metavar="PX", help="largest epipolar error (1)"
    )
    parser.add_argument(
        "--min-motion",
        type=float,
        default=0.1,
        metavar="M",
        help="true motions shorter than this count as none (0.1)",
    )
    parser.add_argument("--no-video", action="store_true", help="write no videos")
    add_device(parser)


def run(options: argparse.Namespace) -> int:
    from ..io.video_frames import FramesConf, extract_frames, is_video
    from ..odometry.run import OdometryConf
    from ..odometry.run import run as run_odometry
    from ..odometry.sequence import open_sequence

    source = options.source
    if is_video(source):
        source = extract_frames(source, options.out / "frames", FramesConf(options.rate))
    sequence = open_sequence(source, kitti_id=options.id, intrinsics=options.intrinsics)
    conf = OdometryConf(
        features=options.features,
        max_keypoints=options.max_keypoints,
        weights=options.weights,
        tracking=options.tracking,
        matcher=options.matcher,
        max_error_px=options.max_error,
        min_motion=options.min_motion,
        video=not options.no_video,
    )
    print(
        run_odometry(sequence.first(options.max_frames), options.out, conf, device=options.device)
    )
    return 0
