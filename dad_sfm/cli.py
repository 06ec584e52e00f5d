"""``dad-sfm``: one sub-command per step, each a thin shell around the step's ``main``.

A mistake of the user ends in one line on standard error and exit code 1, not in a traceback
(``--debug`` shows it).  Exit code 2 is for options that make no sense, 3 for a run that ended well
but had to leave some images out.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import __version__
from .arguments import count

USER_ERROR, SOME_LEFT_OUT = 1, 3
Parser = argparse.ArgumentParser


# ------------------------------------------------------------------------------ reconstruct
def _reconstruct_arguments(parser: Parser) -> None:
    parser.add_argument("scene", help="folder of images, folder holding images/, or a data set")
    parser.add_argument("--out", type=Path, help="output folder (default: outputs/<scene>)")
    parser.add_argument("--features", default="dad-nano+rootsift", help="feature preset")
    parser.add_argument("--matcher", default="NN-mutual", help="matcher preset")
    parser.add_argument("--pairs", default="exhaustive", help="exhaustive or sequential")
    parser.add_argument("--resize", type=int, help="long side in px, instead of the preset's")
    parser.add_argument("--max-keypoints", type=int, help="points an image, likewise")
    parser.add_argument(
        "--camera-mode", default="auto", choices=["auto", "single", "per_folder", "per_image"]
    )
    parser.add_argument("--camera-model", default="SIMPLE_RADIAL", help="COLMAP's name")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, help="of COLMAP; with 1 a run repeats exactly")
    parser.add_argument("--overwrite", action="store_true", help="extract and match anew")
    _device(parser)


def _reconstruct(options: argparse.Namespace) -> int:
    from .pipeline import reconstruct
    from .report import summary_lines
    from .scenes import find_scene

    out = options.out or Path("outputs", find_scene(options.scene).name)
    report = reconstruct(
        options.scene,
        out,
        features=options.features,
        matcher=options.matcher,
        pairing=options.pairs,
        resize_max=options.resize,
        max_keypoints=options.max_keypoints,
        camera_mode=options.camera_mode,
        camera_model=options.camera_model,
        seed=options.seed,
        num_threads=options.threads,
        overwrite=options.overwrite,
        device=options.device,
    )
    print("\n".join(summary_lines(report)))
    print(f"  written   {out}")
    return SOME_LEFT_OUT if report.failed_images else 0


# ---------------------------------------------------------------------------------- extract
def _extract_arguments(parser: Parser) -> None:
    parser.add_argument("image_dir", type=Path, help="folder of images")
    parser.add_argument(
        "--features", "--conf", dest="conf", default="dad-nano", metavar="NAME", help="preset"
    )
    parser.add_argument("--list", action=_ListFeatures, nargs=0, help="the presets, and exit")
    parser.add_argument("--export-dir", type=Path, help="folder of the feature file")
    parser.add_argument("--feature-path", type=Path, help="the feature file itself")
    parser.add_argument("--image-list", type=Path, help="text file, a name a line")
    parser.add_argument("--resize", type=int, help="long side in px, instead of the preset's")
    parser.add_argument("--max-keypoints", type=int, help="points an image, likewise")
    parser.add_argument("--weights", help="checkpoint of the detector: a path or a URL")
    parser.add_argument("--batch-size", type=int, default=1, help="images at once; for GPUs")
    parser.add_argument(
        "--as-half",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="descriptors in half precision (keypoints never are)",
    )
    parser.add_argument("--overwrite", action="store_true", help="start the file anew")
    _device(parser)


def _extract(options: argparse.Namespace) -> int:
    from . import extract_features
    from .store import FeatureReader

    conf = _preset(extract_features.confs, options.conf, "feature preset")
    changes = {"max_keypoints": options.max_keypoints, "weights": options.weights}
    conf["model"] = {**conf["model"], **{k: v for k, v in changes.items() if v is not None}}
    if options.resize is not None:
        conf["preprocessing"] = {**conf["preprocessing"], "resize_max": options.resize}
    path = extract_features.main(
        conf,
        options.image_dir,
        options.export_dir,
        as_half=options.as_half,
        image_list=options.image_list,
        feature_path=options.feature_path,
        overwrite=options.overwrite,
        device=options.device,
        batch_size=options.batch_size,
    )
    with FeatureReader(path) as reader:
        failures = reader.failures
    return _finished(path, failures)


class _ListFeatures(argparse.Action):
    """Print the feature presets and under which terms they may be used, as --version does."""

    def __call__(self, parser: Parser, *_: object) -> None:
        from .extract_features import confs
        from .extractor import licences

        for name, conf in confs.items():
            terms = licences(conf["model"])
            forbidden = "" if all(t.commercial for t in terms) else "NOT FOR COMMERCIAL USE: "
            print(f"{name:<26} {forbidden}{' + '.join(t.terms for t in terms)}")
        parser.exit()


# ------------------------------------------------------------------------------------ pairs
def _pairs_arguments(parser: Parser) -> None:
    parser.add_argument("output", type=Path, help="pairs file to write")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--features", type=Path, help="feature file whose images to pair")
    source.add_argument("--image-list", type=Path, help="text file, a name a line")
    parser.add_argument("--strategy", default="exhaustive", choices=["exhaustive", "sequential"])
    parser.add_argument("--overlap", type=int, default=10, help="sequential: next images")
    parser.add_argument(
        "--quadratic",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="sequential: also 1, 2, 4, 8, ... images on",
    )
    parser.add_argument("--loop", action="store_true", help="sequential: the last meets the first")


def _pairs(options: argparse.Namespace) -> int:
    from . import pairs

    path = pairs.main(
        options.output,
        image_list=options.image_list,
        features=options.features,
        strategy=options.strategy,
        overlap=options.overlap,
        quadratic=options.quadratic,
        loop=options.loop,
    )
    print(path)
    return 0


# ------------------------------------------------------------------------------------ match
def _match_arguments(parser: Parser) -> None:
    parser.add_argument("pairs", type=Path, help="pairs file")
    parser.add_argument("features", type=Path, help="feature file, of any tool that writes hloc's")
    parser.add_argument("--conf", default="NN-mutual", help="matcher preset")
    parser.add_argument("--matches", type=Path, help="match file (default: beside the features)")
    parser.add_argument("--features-ref", type=Path, help="feature file of the second images")
    parser.add_argument("--overwrite", action="store_true", help="start the file anew")
    _device(parser)


def _match(options: argparse.Namespace) -> int:
    from . import match_features
    from .store import MatchReader

    conf = _preset(match_features.confs, options.conf, "matcher preset")
    default = options.features.with_name(f"{options.features.stem}_{conf['output']}.h5")
    path = match_features.main(
        conf,
        options.pairs,
        options.features,
        matches=options.matches or default,
        features_ref=options.features_ref,
        overwrite=options.overwrite,
        device=options.device,
    )
    with MatchReader(path) as reader:
        failures = reader.failures
    return _finished(path, failures)


# ------------------------------------------------------------------------------------ train
def _train_arguments(parser: Parser) -> None:
    from .train.main import add_methods

    add_methods(parser)


def _train(options: argparse.Namespace) -> int:
    print(options.run_method(options))
    return 0


# -------------------------------------------------------------------------------- benchmark
def _benchmark_arguments(parser: Parser) -> None:
    from .descriptors import DESCRIPTORS
    from .evaluation.benchmarks import BENCHMARKS
    from .evaluation.judge import BUDGETS

    parser.add_argument("name", choices=BENCHMARKS.names, help="what to run")
    parser.add_argument("--data", type=Path, help="folder of the data (default: datasets/NAME)")
    parser.add_argument(
        "--features",
        nargs="+",
        default=["dad-nano+rootsift"],
        help="feature presets, and feature files (*.h5) of any tool",
    )
    parser.add_argument(
        "--descriptor", choices=DESCRIPTORS.names, help="one for all, instead of their own"
    )
    parser.add_argument(
        "--linker",
        default="NN-mutual",
        help="what links keypoints: truth, roma, roma-v2, or a matcher preset",
    )
    parser.add_argument("--linker-weights", help="checkpoint of a dense matcher")
    parser.add_argument("--matches", type=Path, help="match file of any tool, instead of a linker")
    parser.add_argument("--budgets", nargs="+", type=count, default=BUDGETS, metavar="N")
    parser.add_argument("--limit", type=count, help="at most so many pairs, for a quick look")
    parser.add_argument("--weights", help="checkpoint of the detector: a path or a URL")
    parser.add_argument("--out", type=Path, default=Path("outputs/benchmarks"))
    parser.add_argument("--overwrite", action="store_true", help="extract anew")
    parser.add_argument(
        "--images",
        type=Path,
        metavar="FILE",
        help="only list the images in FILE and print their folder: what another tool must extract",
    )
    _device(parser)


def _benchmark(options: argparse.Namespace) -> int:
    from . import benchmark
    from .evaluation.compare import tables
    from .evaluation.results import read_result
    from .feature_source import FeatureSource, check_labels

    if options.images is not None:
        return _list_images(options)
    check_labels([FeatureSource(f, options.weights, options.descriptor) for f in options.features])
    weights = options.linker_weights
    paths = [
        benchmark.main(
            options.name,
            features=features,
            data=options.data,
            descriptor=options.descriptor,
            linker=options.linker,
            linker_options={"weights": weights} if weights else None,
            matches=options.matches,
            budgets=options.budgets,
            limit=options.limit,
            weights=options.weights,
            out=options.out,
            overwrite=options.overwrite,
            device=options.device,
        )
        for features in options.features
    ]
    print("\n".join([*tables([read_result(p) for p in paths]), *map(str, paths)]))
    return 0


def _list_images(options: argparse.Namespace) -> int:
    from . import benchmark

    given = {"data": options.data, "out": options.out, "limit": options.limit}
    dataset = benchmark.load(options.name, **given)
    options.images.write_text("\n".join([*dataset.names, ""]), encoding="utf-8")
    print(dataset.image_dir)
    return 0


# ---------------------------------------------------------------------------------- compare
def _compare_arguments(parser: Parser) -> None:
    parser.add_argument("results", nargs="+", type=Path, help="results of benchmarks (*.json)")
    parser.add_argument("--plots", type=Path, help="folder for curves over the budgets")
    parser.add_argument("--seed", type=int, default=0, help="of the resampling")


def _compare(options: argparse.Namespace) -> int:
    from .evaluation.compare import tables
    from .evaluation.results import read_result

    results = [read_result(path) for path in options.results]
    print("\n".join(tables(results, seed=options.seed)))
    if options.plots is not None:
        from .evaluation.plots import plot

        print("\n".join(str(path) for path in plot(results, options.plots)))
    return 0


# -------------------------------------------------------------------------------- visualize
def _visualize_arguments(parser: Parser) -> None:
    parser.add_argument("image", type=Path)
    parser.add_argument("picture", type=Path, help="picture to write")
    parser.add_argument("--conf", default="dad-nano", help="feature preset")
    parser.add_argument("--features", type=Path, help="draw from this feature file instead")
    parser.add_argument("--name", help="the image's name in the feature file (default: its own)")
    parser.add_argument("--max-keypoints", type=int, default=1024)
    _device(parser)


def _visualize(options: argparse.Namespace) -> int:
    from tempfile import TemporaryDirectory

    from . import extract_features
    from .images import read_image
    from .store import FeatureReader
    from .visualize import draw_keypoints

    image, name = read_image(options.image), options.name or options.image.name
    with TemporaryDirectory() as folder:
        path = options.features
        if path is None:
            conf = _preset(extract_features.confs, options.conf, "feature preset")
            model = {k: v for k, v in conf["model"].items() if k != "descriptor"}
            conf["model"] = {**model, "max_keypoints": options.max_keypoints}
            name = options.image.name
            path = extract_features.main(
                conf, options.image.parent, folder, image_list=[name], device=options.device
            )
        with FeatureReader(path) as reader:
            features = reader.read(name, descriptors=False)
    options.picture.parent.mkdir(parents=True, exist_ok=True)
    draw_keypoints(image, features.keypoints_px[: options.max_keypoints]).save(options.picture)
    print(options.picture)
    return 0


# ------------------------------------------------------------------------------------- main
# name -> (help, options, run)
COMMANDS: dict[str, tuple[str, Callable[[Parser], None], Callable[[Any], int]]] = {
    "reconstruct": ("photos -> model and report", _reconstruct_arguments, _reconstruct),
    "extract": ("step 1: folder -> feature file", _extract_arguments, _extract),
    "pairs": ("step 2: names -> pairs file", _pairs_arguments, _pairs),
    "match": ("step 3: features and pairs -> match file", _match_arguments, _match),
    "benchmark": ("judge features by the field's protocols", _benchmark_arguments, _benchmark),
    "compare": ("results of benchmarks side by side", _compare_arguments, _compare),
    "train": ("train a detector on your photos", _train_arguments, _train),
    "visualize": ("picture of an image's keypoints", _visualize_arguments, _visualize),
}


def _device(parser: Parser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")


def _preset(presets: dict[str, dict[str, Any]], name: str, kind: str) -> dict[str, Any]:
    from .config import ConfigError

    if name not in presets:
        raise ConfigError(f"unknown {kind} {name!r}; there are: {', '.join(sorted(presets))}")
    return dict(presets[name])


def _finished(path: Path, failures: dict[str, str]) -> int:
    """Say what was written and what was left out; the exit code."""
    for name, reason in failures.items():
        print(f"skipped {name}: {reason}", file=sys.stderr)
    print(path)
    return SOME_LEFT_OUT if failures else 0


def make_parser(chosen: str | None = None) -> Parser:
    """The parser; options of the ``chosen`` command only, since some load torch to name them."""
    parser = Parser("dad-sfm", description="The feature front end of structure from motion.")
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--debug", action="store_true", help="show tracebacks and all messages")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (summary, add_arguments, _) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary)
        if name == chosen:
            add_arguments(command)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    chosen = next((a for a in arguments if a in COMMANDS), None)
    options = make_parser(chosen).parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if options.debug else logging.WARNING,
        format="%(levelname)s %(name)s: %(message)s",
    )
    try:
        return COMMANDS[options.command][2](options)
    except (ValueError, OSError, RuntimeError, ImportError) as error:
        if options.debug:
            raise
        print(f"dad-sfm {options.command}: {error}", file=sys.stderr)
        return USER_ERROR
