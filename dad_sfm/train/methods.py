"""The methods of ``dad-sfm train``: what each objective has of its own on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from ..core.arguments import count, whole
from ..core.config import ConfigError, changed
from .method import Method, check_preset
from .objectives.descriptor import DescriptorConf
from .objectives.polarity import Polarity
from .objectives.teachers import Combination
from .presets import RunConf, distillation
from .video_methods import PERMAKEY, TRANSPORTER


def _rl_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--polarity",
        choices=get_args(Polarity),
        help="keypoints brighter or darker than their surroundings, or both; free: what emerges",
    )
    parser.add_argument(
        "--negative",
        action="store_true",
        help="start from --init seen in the negative: from a light detector to a dark one",
    )


def _distill_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--teachers", nargs="+", type=Path, required=True, help="weights files, of any network"
    )
    parser.add_argument(
        "--how", choices=get_args(Combination), default="max", help="one policy of several"
    )
    parser.add_argument(
        "--temperature", type=float, default=1.0, help="of the policies, above 0; less sharpens"
    )
    parser.add_argument("--cache", type=Path, help="folder that keeps the teachers' maps")


def _configure_rl(conf: RunConf, options: argparse.Namespace) -> RunConf:
    check_preset(conf, options)
    if options.polarity is None:
        return conf
    return changed(conf, {"objective.polarity": options.polarity}, where="--polarity")


def _configure_distill(conf: RunConf, options: argparse.Namespace) -> RunConf:
    return distillation(
        conf,
        options.how,
        teachers=options.teachers,
        cache=options.cache,
        temperature=options.temperature,
    )


def _descriptor_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--places",
        nargs="+",
        type=Path,
        default=(),
        help="folders of photos of one place each, for pairs of different photos",
    )
    parser.add_argument(
        "--described", type=Path, help="folder that keeps the photos with the teacher's descriptors"
    )
    parser.add_argument("--teacher-weights", help="checkpoint of the teacher, a path or a URL")


def _configure_descriptor(conf: RunConf, options: argparse.Namespace) -> RunConf:
    if not isinstance(conf.objective, DescriptorConf):
        raise ConfigError(f"preset {options.preset} trains no descriptor; take descriptor")
    given = {
        "data.places": tuple(map(str, options.places)) or None,
        "data.described": options.described and str(options.described),
        "data.teacher.weights": options.teacher_weights,
    }
    return changed(conf, {k: v for k, v in given.items() if v is not None}, where="options")


def _ripe_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--places", help="folder of folders, one per place (--data folders)")
    parser.add_argument("--tokyo", help="folder of Tokyo 24/7's queries (--data tokyo)")
    parser.add_argument("--acdc", help="folder of ACDC (--data acdc)")


def _track_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--curriculum",
        type=whole,
        metavar="STEPS",
        help="sequences become harder over so many steps (the preset's run); 0 = at once",
    )
    parser.add_argument(
        "--frames", type=count, metavar="N", help="frames of a sequence besides its reference"
    )
    parser.add_argument(
        "--sequences",
        nargs="+",
        metavar="FOLDER",
        help="images/ in order and gt/ or sparse/0/, a COLMAP model (--data posed)",
    )


METHODS = {
    "descriptor": Method(
        "descriptors on a detector's features, from a teacher and known correspondences",
        add_arguments=_descriptor_arguments,
        configure=_configure_descriptor,
        preset="descriptor",
    ),
    "rl": Method(
        "reinforcement learning on pairs of views",
        add_arguments=_rl_arguments,
        configure=_configure_rl,
    ),
    "distill": Method(
        "several detectors -> one",
        aliases=["distil"],
        add_arguments=_distill_arguments,
        configure=_configure_distill,
    ),
    "ripe": Method(
        "keypoints and descriptors from labelled pairs, without geometry (RIPE)",
        add_arguments=_ripe_arguments,
        configure=check_preset,
        preset="ripe",
        data=["places", "tokyo", "acdc"],
    ),
    "track": Method(
        "keypoints that can be tracked, from sequences (TraqPoint)",
        add_arguments=_track_arguments,
        configure=check_preset,
        preset="track",
        data=["curriculum", "frames", "sequences"],
    ),
    "track-descriptor": Method(
        "dense descriptors by focal losses (TraqPoint's first stage)",
        configure=check_preset,
        preset="track-descriptor",
    ),
    "permakey": PERMAKEY,
    "transporter": TRANSPORTER,
}
