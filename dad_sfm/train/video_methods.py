"""The command line's options of object keypoints, named as those of PermaKey's public code."""

from __future__ import annotations

import argparse
from typing import get_args

from ..core.arguments import count
from ..core.config import changed
from ..video.distractors import Noise
from ..video.games import GAMES
from .method import Method, check_preset
from .presets import RunConf


def layers(text: str) -> tuple[int, ...]:
    """ "0,1" -> (0, 1)."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a list of layers: 0,1") from None


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data-dir", help="data set: train/GAME/*.npz, test/GAME/*.npz (dad-sfm video record)"
    )
    parser.add_argument(
        "--env", help=f"game ({', '.join(GAMES)}), or name of a folder of videos' frames"
    )
    parser.add_argument("--num-keypoints", type=count, help="default: the paper's of the game")
    parser.add_argument("--noise-type", choices=get_args(Noise), help="bars across each frame")


def _permakey_arguments(parser: argparse.ArgumentParser) -> None:
    _arguments(parser)
    parser.add_argument(
        "--lsp-layers", type=layers, help="convolutions whose features are predicted: 0,1"
    )


def _configure(conf: RunConf, options: argparse.Namespace) -> RunConf:
    check_preset(conf, options)
    number = options.num_keypoints
    if number is None and options.env in GAMES:
        number = GAMES[options.env].num_keypoints
    given = {
        "objective.num_keypoints": number,
        "objective.lsp_layers": getattr(options, "lsp_layers", None),
    }
    return changed(conf, {k: v for k, v in given.items() if v is not None}, where="options")


_DATA = ("data_dir", "env", "noise_type")

PERMAKEY = Method(
    "object keypoints of videos, where features are locally unpredictable (PermaKey)",
    add_arguments=_permakey_arguments,
    configure=_configure,
    preset="permakey",
    data=_DATA,
)
TRANSPORTER = Method(
    "object keypoints of videos, where features move (Transporter)",
    add_arguments=_arguments,
    configure=_configure,
    preset="transporter",
    data=_DATA,
)
