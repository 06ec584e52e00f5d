"""``dad-sfm video``: data sets of frames, and object keypoints on them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ..core.arguments import count
from .shared import add_device

SUMMARY = "frames of games and videos, object keypoints compared on them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    tasks = parser.add_subparsers(dest="task", required=True, metavar="TASK")
    record = tasks.add_parser("record", help="a data set of a game, played at random")
    record.add_argument("--env", default="mspacman", help="game, as PermaKey names it")
    record.add_argument("--data-dir", type=Path, required=True, help="folder of the data set")
    record.add_argument("--train", type=count, default=6000, help="frames to train on")
    record.add_argument("--test", type=count, default=1000, help="frames to judge by")
    record.add_argument("--length", type=count, default=500, help="frames per file")
    record.add_argument("--seed", type=int, default=0)
    record.set_defaults(task_run=_record)
    videos = tasks.add_parser("import", help="a data set of a folder of videos")
    videos.add_argument("videos", type=Path, help="folder of videos")
    videos.add_argument("--env", required=True, metavar="NAME", help="name in the data set")
    videos.add_argument("--data-dir", type=Path, required=True, help="folder of the data set")
    videos.add_argument("--length", type=count, default=500, help="frames per file")
    videos.set_defaults(task_run=_import)
    compare = tasks.add_parser("compare", help="precision, recall and pictures of keypoints")
    compare.add_argument("weights", nargs="+", type=Path, help="weights of permakey, transporter")
    compare.add_argument("--env", default="mspacman")
    compare.add_argument("--data-dir", type=Path, required=True, help="folder of the data set")
    compare.add_argument(
        "--noise-type", choices=("none", "horizontal", "vertical", "both"), default="none"
    )
    compare.add_argument("--radius", type=float, default=4.0, help="px, of a hit")
    compare.add_argument("--out", type=Path, required=True, help="folder for results, pictures")
    add_device(compare)
    compare.set_defaults(task_run=_compare)


def run(options: argparse.Namespace) -> int:
    print(options.task_run(options))
    return 0


def _record(options: argparse.Namespace) -> Path:
    from ..video.recording import RecordConf, record

    conf = RecordConf(
        options.env, options.train, options.test, length=options.length, seed=options.seed
    )
    return record(conf, options.data_dir)


def _import(options: argparse.Namespace) -> Path:
    from ..video.movies import import_videos

    return import_videos(options.videos, options.data_dir, options.env, length=options.length)


def _compare(options: argparse.Namespace) -> Path:
    from ..core.device import choose_device
    from ..video.figures import draw_figures
    from ..video.measure import MeasureConf, measure
    from ..video.sprites import SPRITES

    device = str(choose_device(options.device))
    conf = MeasureConf(options.env, options.noise_type, radius_px=options.radius)
    given = (options.weights, options.data_dir, conf)
    draw_figures(*given, options.out, device=device)
    if options.env in SPRITES:
        rows = measure(*given, device=device)
        (options.out / "compare.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
        for row in rows:
            name = row["weights"] or row["network"]
            print(f"{name}: precision {row['precision']:.3f}, recall {row['recall']:.3f}")
    folder: Path = options.out
    return folder
