"""Steps of hloc with our presets: ``python -m dad_sfm.hloc_bridge STEP ...``.

``python -m hloc.extract_features`` builds its presets again as the main module, so that it cannot
know ours.  Options have hloc's names; the steps that are not here are run as hloc's own commands.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .registration import HlocMissingError, import_hloc, register


def main(argv: Sequence[str] | None = None) -> int:
    """Run a step; returns the exit code."""
    try:
        register()
    except HlocMissingError as error:
        print(error, file=sys.stderr)
        return 1
    options = vars(_parser().parse_args(argv))
    step = import_hloc(options.pop("step"))
    if "conf" in options:
        options["conf"] = step.confs[options["conf"]]
    step.main(**{name: value for name, value in options.items() if value is not None})
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m dad_sfm.hloc_bridge", description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")

    extract = steps.add_parser("extract_features", help="features of a folder of images")
    _add_conf(extract, "extract_features", "dad-nano+rootsift")
    _add_paths(extract, "image_dir", required=True)
    _add_paths(extract, "export_dir", "image_list", "feature_path")
    extract.add_argument("--as_half", action="store_true", help="descriptors in half precision")
    extract.add_argument("--overwrite", action="store_true")

    match = steps.add_parser("match_features", help="matches of a list of pairs")
    _add_conf(match, "match_features", "NN-mutual")
    _add_paths(match, "pairs", required=True)
    match.add_argument(
        "--features", type=_file_or_stem, required=True, help="a file, or a stem in export_dir"
    )
    _add_paths(match, "export_dir", "matches", "features_ref")
    match.add_argument("--overwrite", action="store_true")

    triangulate = steps.add_parser("triangulation", help="points of a model with known cameras")
    _add_paths(
        triangulate,
        *("sfm_dir", "reference_model", "image_dir", "pairs", "features", "matches"),
        required=True,
    )
    triangulate.add_argument("--skip_geometric_verification", action="store_true")
    triangulate.add_argument("--estimate_two_view_geometries", action="store_true")
    triangulate.add_argument("--min_match_score", type=float)
    triangulate.add_argument("--verbose", action="store_true")
    return parser


def _add_conf(parser: argparse.ArgumentParser, step: str, default: str) -> None:
    names: dict[str, Any] = import_hloc(step).confs
    parser.add_argument("--conf", choices=list(names), default=default)


def _add_paths(parser: argparse.ArgumentParser, *names: str, required: bool = False) -> None:
    for name in names:
        parser.add_argument(f"--{name}", type=Path, required=required)


def _file_or_stem(text: str) -> Path | str:
    """What hloc tells apart by type: the path of a feature file, or its stem."""
    return Path(text) if Path(text).is_file() else text


if __name__ == "__main__":
    sys.exit(main())
