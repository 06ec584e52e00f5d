"""What several commands need."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.arguments import add_set, count, whole
from ..execution.engines import ENGINES, default_engine, run_on

if TYPE_CHECKING:
    from . import Command

SOME_LEFT_OUT = 3  # exit code


def add_device(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 or mps")


def add_workers(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--workers",
        type=whole,
        metavar="N",
        help="threads, a core each (default: all cores); 0 for none",
    )


def add_shard(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--shard",
        metavar="I/N",
        help="only part I of N (1/N to N/N), into a file of its own; see dad-sfm merge",
    )
    add_engine(parser)


def add_engine(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default=default_engine(),
        help="where it runs: on this machine, or on the Ray cluster of RAY_ADDRESS",
    )


def add_kinds(parser: argparse.ArgumentParser, kinds: Mapping[str, Command]) -> None:
    """Sub-commands by name; ``kind`` is the one that was chosen."""
    chosen = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    for name, kind in kinds.items():
        kind.add_arguments(chosen.add_parser(name, help=kind.SUMMARY, description=kind.SUMMARY))


def run_step(step: Callable[..., Path], path: Path, options: argparse.Namespace) -> Path:
    """Run a step, which writes ``path``, on the engine that was asked for.

    step  its ``main``, with all but ``device``, ``workers`` and ``shard``
    """
    if options.shard is not None:
        if options.engine != "local":
            raise ValueError("--engine ray makes its own shards: leave --shard out")
        return step(device=options.device, workers=options.workers, shard=options.shard)
    return run_on(
        options.engine,
        step,
        path,
        device=options.device,
        workers=options.workers,
        overwrite=options.overwrite,
    )


def add_detector(parser: argparse.ArgumentParser) -> None:
    """What may differ from the preset's detector; see `features_conf`."""
    parser.add_argument(
        "--max-keypoints", type=int, help="keypoints per image, instead of the preset's"
    )
    parser.add_argument("--weights", help="checkpoint of the detector: a path or a URL")
    add_set(parser, "any other option of the detector, as presets name it: nms_size=7")


def add_preprocessing(parser: argparse._ActionsContainer) -> None:
    """How photos become what a detector sees; see `preprocessing`."""
    parser.add_argument(
        "--resize",
        type=count,
        metavar="PX",
        help="long side of the images that the detector sees (default: the preset's)",
    )
    parser.add_argument(
        "--mask-dir",
        metavar="DIR",
        help="folder of masks, named <photo>.png: no keypoints where they are black",
    )
    parser.add_argument(
        "--turns", metavar="FILE", help="quarter turns of sideways photos, see dad-sfm turns"
    )
    parser.add_argument("--camera-mask", metavar="FILE", help="one mask for all photos")
    parser.add_argument(
        "--range",
        nargs=2,
        type=float,
        metavar=("LOW", "HIGH"),
        help="grey levels that become black and white in photos of more than 8 bits",
    )


def preprocessing(options: argparse.Namespace) -> dict[str, Any]:
    """What of `add_preprocessing` was given, as options of `Preprocessing`."""
    given = {
        "resize_max": options.resize,
        "turns": options.turns,
        "mask_dir": options.mask_dir,
        "camera_mask": options.camera_mask,
        "grey_range": options.range,
    }
    return {key: value for key, value in given.items() if value is not None}


def features_conf(options: argparse.Namespace) -> dict[str, Any]:
    """The feature preset ``options.conf`` with what was asked for.  Raises `ConfigError`."""
    from .. import extract_features

    conf = extract_features.preset(options.conf)
    given = {"max_keypoints": options.max_keypoints, "weights": options.weights}
    given = {key: value for key, value in given.items() if value is not None}
    return {**conf, "model": {**conf["model"], **dict(options.set), **given}}


def finished(path: Path, failures: dict[str, str]) -> int:
    """Say what was written and what was left out; the exit code."""
    for name, reason in failures.items():
        print(f"skipped {name}: {reason}", file=sys.stderr)
    print(path)
    return SOME_LEFT_OUT if failures else 0
