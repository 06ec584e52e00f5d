"""`dad-sfm train`: a run from a preset, options and photo folders."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch

from ..device import choose_device
from .homography_pairs import HomographyPairs
from .loop import Loop
from .package import package
from .presets import NETWORKS, PRESETS, RunConf
from .rl import RLObjective

EPILOG = """\
A run lives in its folder (--run): conf.json, log.jsonl (loss, hit rate and the other terms, a line
every few steps), last.pt (everything needed to go on) and weights.safetensors (to detect with).
Kill it or press Ctrl-C whenever you like; the same command goes on from the last save, with the
same batches an uninterrupted run would have seen.

  dad-sfm train rl --photos my_photos --preset nano --run runs/nano
  dad-sfm extract scene/images --export-dir out --weights runs/nano/weights.safetensors

Presets: paper (the DaD publication's values), nano (two CPU cores, hours), smoke (a minute).
"""


def add_methods(parser: argparse.ArgumentParser) -> None:
    """The sub-commands of ``train``; each sets ``run_method``, which returns the file it wrote."""
    methods = parser.add_subparsers(dest="method", required=True, metavar="METHOD")
    rl = methods.add_parser("rl", help="reinforcement learning on homography pairs")
    _rl_arguments(rl)
    rl.set_defaults(run_method=_run_rl)
    shipped = methods.add_parser("package", help="a run's weights -> a float16 file to ship")
    shipped.add_argument("weights", type=Path, help="weights.safetensors of a run")
    shipped.add_argument("target", type=Path, help="file to write")
    shipped.set_defaults(run_method=lambda options: package(options.weights, options.target))


def _rl_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    parser.add_argument(
        "--photos", nargs="+", type=Path, required=True, help="folders of training photos"
    )
    parser.add_argument("--run", type=Path, required=True, help="run folder, made or gone on with")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="nano")
    parser.add_argument("--network", choices=sorted(NETWORKS), help="instead of the preset's")
    parser.add_argument(
        "--polarity",
        choices=("free", "light", "dark"),
        help="keypoints brighter or darker than their surroundings; free: what emerges",
    )
    parser.add_argument("--steps", type=int, help="instead of the preset's")
    parser.add_argument("--batch", type=int, help="pairs a step, instead of the preset's")
    parser.add_argument("--learning-rate", type=float, help="instead of the preset's")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--init", type=Path, help="weights to start from (a weights file)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")


def _run_rl(options: argparse.Namespace) -> Path:
    conf = _conf(options)
    return train(conf, options.photos, options.run, device=options.device, init=options.init)


def _conf(options: argparse.Namespace) -> RunConf:
    conf = PRESETS[options.preset]
    data, loop = conf.data, replace(conf.loop, seed=options.seed)
    objective = conf.objective
    if options.polarity is not None:
        objective = replace(objective, polarity=options.polarity)
    if options.batch is not None:
        data = replace(data, batch=options.batch)
    if options.steps is not None:
        loop = replace(loop, steps=options.steps)
    if options.learning_rate is not None:
        loop = replace(loop, learning_rate=options.learning_rate)
    network = options.network or conf.network
    return replace(conf, network=network, data=data, objective=objective, loop=loop)


def train(
    conf: RunConf,
    photos: Sequence[Path | str],
    run_dir: Path | str,
    *,
    device: str = "auto",
    init: Path | None = None,
) -> Path:
    """Reinforcement learning on homography pairs; returns the path of the weights.

    ``init`` starts from the weights of a file instead of random ones.  Raises FileNotFoundError
    when there are no photos, `ConfigError` when the folder holds another run, and
    `TrainingError` when the loss is not finite.
    """
    torch.manual_seed(conf.loop.seed)
    network = NETWORKS[conf.network]()
    if init is not None:
        from ..detectors.dad.weights import load_weights

        load_weights(network, init)
    loop = Loop(
        network,
        RLObjective(conf.objective),
        HomographyPairs(photos, conf.data, seed=conf.loop.seed),
        conf.loop,
        run_dir=run_dir,
        device=choose_device(device),
        description={
            **asdict(conf),
            "photos": [str(p) for p in photos],
            "init": str(init) if init else None,
        },
    )
    return loop.run()
