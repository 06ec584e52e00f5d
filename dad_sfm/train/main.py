"""`dad-sfm train`: a run from a preset, options and photo folders."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from ..core.arguments import add_set, add_watchdog, count
from ..core.config import ConfigError, changed
from ..models.networks import NETWORKS
from .data.plugs import data_conf, needs_photos
from .data.sequence_index import write_sequences
from .engine.launch import LaunchConf, Strategy
from .engine.loop_conf import LoopConf
from .engine.trackers import TRACKERS
from .method import Method
from .methods import METHODS
from .objectives import OBJECTIVES
from .objectives.base import Objective
from .package import average, package
from .presets import PRESETS, RunConf
from .published import export_published, import_published
from .runs import Start, train

EPILOG = """\
A run lives in its folder (--run): conf.json, log.jsonl (loss, hit rate and the other terms, a line
every few steps), last.pt (everything needed to resume), weights.safetensors (to detect with) and
best.safetensors (the best on photos held out of training).  Kill it or press Ctrl-C whenever you
like; the same command resumes from the last save, with the same batches an uninterrupted run
would have seen.

  dad-sfm train rl --photos my_photos --polarity light --run runs/light
  dad-sfm train rl --photos my_photos --polarity dark --run runs/dark
  dad-sfm train distill --photos my_photos --run runs/nano \\
      --teachers runs/light/weights.safetensors runs/dark/weights.safetensors
  dad-sfm train ripe --data homography+folders --photos my_photos --places my_places \
      --preset ripe-nano --run runs/ripe
  dad-sfm extract scene/images --export-dir out --weights runs/nano/weights.safetensors

Presets: paper (the DaD publication's values), dad (the same network with nano's objective, for one
GPU), nano (two CPU cores, hours), smoke (a minute); ripe (the RIPE publication's values),
ripe-nano (two CPU cores, an hour); track (the TraqPoint publication's values), track-nano,
track-descriptor (its first stage);
permakey, transporter (the publications' values), permakey-nano, transporter-nano (a CPU core,
minutes).
"""


def add_methods(parser: argparse.ArgumentParser) -> Any:
    """The sub-commands of ``train``; each sets ``run_method``, which returns the file it wrote.
    Returns what further ones can be added to."""
    methods = parser.add_subparsers(dest="method", required=True, metavar="METHOD")
    for name in OBJECTIVES.names:
        method = METHODS.get(name, Method(f"objective {name}"))
        parser = methods.add_parser(name, help=method.summary, aliases=method.aliases)
        _run_arguments(parser)
        if method.add_arguments:
            method.add_arguments(parser)
        parser.set_defaults(run_method=_run, objective=name, preset=method.preset)
    shipped = methods.add_parser("package", help="a run's weights -> a float16 file to ship")
    shipped.add_argument("weights", type=Path, help="weights.safetensors of a run")
    shipped.add_argument("target", type=Path, help="file to write")
    shipped.set_defaults(run_method=lambda options: package(options.weights, options.target))
    averaged = methods.add_parser("average", help="the mean of runs that began alike")
    averaged.add_argument("target", type=Path, help="file to write")
    averaged.add_argument("weights", nargs="+", type=Path, help="weights of each")
    averaged.set_defaults(run_method=lambda options: average(options.weights, options.target))
    exported = methods.add_parser("export", help="full network -> published format (.pth)")
    exported.add_argument("weights", type=Path, help="weights of a full DaD network")
    exported.add_argument("target", type=Path, help="*.pth, which the original code loads")
    exported.set_defaults(run_method=lambda o: export_published(o.weights, o.target))
    drawn = methods.add_parser("sequences", help="MegaDepth's pairs -> sequences, for track")
    drawn.add_argument("megadepth", type=Path, help="folder of the data set, with scene_info/")
    drawn.add_argument("--seed", type=int, default=0)
    drawn.set_defaults(run_method=lambda o: write_sequences(o.megadepth, seed=o.seed))
    imported = methods.add_parser("import", help="published format (.pth) -> safetensors")
    imported.add_argument("weights", type=Path, help="checkpoint in the published format")
    imported.add_argument("target", type=Path, help="*.safetensors to write")
    imported.set_defaults(run_method=lambda o: import_published(o.weights, o.target))
    return methods


def _run_arguments(parser: argparse.ArgumentParser) -> None:
    """What every run is asked."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument(
        "--data",
        help="for rl and distill: homography (of photos; the default), rendered (scenes), mixed "
        "(both) or megadepth; for ripe, labelled pairs of homography, rendered, folders, megadepth "
        "(DISK's), tokyo, acdc, or several: megadepth+tokyo; for track, sequences of homography, "
        "rendered, posed, megadepth, or several",
    )
    parser.add_argument(
        "--photos",
        nargs="+",
        type=Path,
        default=(),
        help="folders of training photos; of textures with --data rendered",
    )
    parser.add_argument("--bank", help="folder of the rendered scenes (--data rendered, mixed)")
    parser.add_argument("--scenes", type=count, help="how many there are to be in it")
    parser.add_argument("--megadepth", help="folder of the data set (--data megadepth)")
    parser.add_argument("--run", type=Path, required=True, help="run folder, made or resumed")
    parser.add_argument("--preset", choices=sorted(PRESETS), help="nano; of ripe: ripe")
    parser.add_argument("--network", choices=NETWORKS.names, help="instead of the preset's")
    parser.add_argument("--steps", type=count, help="instead of the preset's")
    parser.add_argument("--batch", type=count, help="pairs per step, instead of the preset's")
    parser.add_argument("--learning-rate", type=float, help="instead of the preset's")
    parser.add_argument(
        "--rotation-deg", type=float, help="turn each view by up to this; 0 trains upright"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--init", type=Path, help="weights to start from (a weights file)")
    add_set(parser, "any other field of the run, as conf.json names it: objective.policy_weight=2")
    parser.add_argument(
        "--accumulate", type=count, help="batches per step, instead of the preset's"
    )
    parser.add_argument(
        "--validation",
        nargs="+",
        type=Path,
        default=(),
        metavar="FOLDER",
        help="photos to validate on (default: every 20th of --photos, held out of training)",
    )
    parser.add_argument(
        "--validate-every", type=int, metavar="STEPS", help="instead of the preset's; 0 = never"
    )
    parser.add_argument(
        "--tracker", choices=TRACKERS, help="default: tensorboard where it is installed"
    )
    add_watchdog(parser)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--devices", type=count, default=1, help="how many, on each machine")
    parser.add_argument("--nodes", type=count, default=1, help="machines; see docs/training.md")
    parser.add_argument("--strategy", choices=get_args(Strategy), default="auto")
    parser.add_argument(
        "--workers", type=count, default=2, help="threads that prepare batches, for each device"
    )


def _run(options: argparse.Namespace) -> Path:
    """Train with the objective that a sub-command is named for."""
    objective: type[Objective] = OBJECTIVES.plugin(options.objective)
    conf = _conf(options, objective)
    method = METHODS.get(options.objective)
    if method and method.configure:
        conf = method.configure(conf, options)
    elif type(conf.objective) is not objective.Conf:
        conf = replace(conf, objective=objective.Conf())
    return train(
        changed(conf, dict(options.set), where="--set"),
        options.photos,
        options.run,
        start=Start(options.init, getattr(options, "negative", False)),
        **_running(options),
    )


def _running(options: argparse.Namespace) -> dict[str, Any]:
    """Where a run runs, and how it is watched."""
    machines = LaunchConf(
        options.device, options.devices, options.nodes, options.strategy, options.workers
    )
    return {
        "device": machines,
        "validation": options.validation,
        "tracker": options.tracker,
        "watched": options.watchdog,
    }


def _conf(options: argparse.Namespace, objective: type[Objective]) -> RunConf:
    """The preset, with what the options say instead."""
    method = METHODS.get(options.objective, Method(""))
    conf = PRESETS[options.preset or method.preset]
    name = options.data or conf.data.name
    if needs_photos(objective.data, name) and not options.photos:
        raise ConfigError(f"--data {name} needs photos: give folders of them with --photos")
    data = data_conf(
        objective.data,
        name,
        conf.data,
        batch=options.batch,
        rotation_deg=options.rotation_deg,
        bank=options.bank,
        scenes=options.scenes,
        megadepth=options.megadepth,
        **{name: getattr(options, name) for name in method.data},
    )
    loop = _but(
        conf.loop,
        steps=options.steps,
        learning_rate=options.learning_rate,
        accumulate=options.accumulate,
        validate_every=options.validate_every,
        seed=options.seed,
    )
    return replace(conf, network=options.network or conf.network, data=data, loop=loop)


def _but(conf: LoopConf, **values: Any) -> LoopConf:
    """``conf`` with those of the values that are given."""
    return replace(conf, **{k: v for k, v in values.items() if v is not None})
