"""Object keypoints of a game: every method, kind of noise, K and layer, over several seeds.

One command trains, measures against the sprites, and writes ``results.json`` and ``table.md``:

    python pipelines/permakey.py --data-dir data --out runs              # the table of the docs
    python pipelines/permakey.py --data-dir data --out ablation --methods permakey \\
        --lsp-layers 0 0,1 2,3 0,1,2,3 --num-keypoints 15 20 25          # the ablations

A run that is there is resumed, or taken as it is.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from dad_sfm.core.config import changed
from dad_sfm.train.presets import PRESETS
from dad_sfm.train.runs import train
from dad_sfm.train.video_methods import layers
from dad_sfm.video.games import game
from dad_sfm.video.measure import MeasureConf, measure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", required=True, help="data set (dad-sfm video record)")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs and results")
    parser.add_argument("--env", default="mspacman")
    parser.add_argument("--methods", nargs="+", default=["permakey", "transporter"])
    parser.add_argument("--noise", nargs="+", default=["none", "both"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--num-keypoints", nargs="+", type=int, help="default: the game's")
    parser.add_argument("--lsp-layers", nargs="+", type=layers, default=[(0, 1)])
    parser.add_argument("--preset", default="nano", help="nano, or paper")
    parser.add_argument("--steps", type=int, help="instead of the preset's")
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    grid = itertools.product(
        options.seeds,
        options.noise,
        options.methods,
        options.num_keypoints or [game(options.env).num_keypoints],
        options.lsp_layers,
    )
    rows = []
    for seed, noise, method, number, chosen in grid:
        if method == "transporter" and chosen != options.lsp_layers[0]:
            continue  # it has no such layers
        rows.append(one(options, seed, noise, method, number, chosen))
        (options.out / "results.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
    (options.out / "table.md").write_text(table(rows), encoding="utf-8")
    print(table(rows))


def one(
    options: argparse.Namespace,
    seed: int,
    noise: str,
    method: str,
    number: int,
    chosen: tuple[int, ...],
) -> dict[str, Any]:
    """Train one network, and measure it with the noise that it was trained with."""
    conf = PRESETS[method if options.preset == "paper" else f"{method}-{options.preset}"]
    values: dict[str, Any] = {
        "data.data_dir": options.data_dir,
        "data.env": options.env,
        "data.noise_type": noise,
        "objective.num_keypoints": number,
        "loop.seed": seed,
    }
    name = f"{method}-{noise}-{number}"
    if method == "permakey":
        values["objective.lsp_layers"] = chosen
        name += "-" + "".join(map(str, chosen))
    if options.steps:
        values["loop.steps"] = options.steps
    run = options.out / f"{name}-{seed}"
    conf = changed(conf, values, where="options")
    weights = train(conf, [], run, device=options.device, tracker="none")
    found, *references = measure(
        [weights], options.data_dir, MeasureConf(options.env, noise), device="cpu"
    )
    return {
        **{"method": method, "noise": noise, "num_keypoints": number, "lsp_layers": chosen},
        **{"seed": seed, "precision": found["precision"], "recall": found["recall"]},
        "references": {each["network"]: each for each in references},
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Means over the seeds, ± their standard deviation, in %."""
    groups = defaultdict(list)
    for row in rows:
        key = (row["method"], row["noise"], row["num_keypoints"], tuple(row["lsp_layers"]))
        groups[key].append(row)
    lines = ["| method | bars | K | layers | seeds | precision | recall |", "|" + "---|" * 7]
    for (method, noise, number, chosen), found in groups.items():
        cells = [method, noise, number, ",".join(map(str, chosen)), len(found)]
        if method != "permakey":
            cells[3] = ""
        for name in ("precision", "recall"):
            values = 100 * np.array([row[name] for row in found])
            spread = f" ± {values.std(ddof=1):.1f}" if len(values) > 1 else ""
            cells.append(f"{values.mean():.1f}{spread}")
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
