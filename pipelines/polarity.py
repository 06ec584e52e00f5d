"""Does polarity emerge?  Short runs from random weights, turned and upright, and their plot.

python pipelines/polarity.py --photos bsds500 urban100 --runs runs/polarity
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from dad_sfm.core.arguments import count
from dad_sfm.train.presets import PRESETS, RunConf
from dad_sfm.train.runs import train

PLOT = Path("docs/images/polarity.svg")
SETTINGS = {"full rotation": 180.0, "upright": 0.0}


def main() -> None:
    options = arguments()
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    drawing, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True, layout="constrained")
    for panel, (setting, rotation_deg) in zip(axes, SETTINGS.items(), strict=True):
        for polarity in ("free", "light", "dark"):
            for seed in range(options.seeds):
                run = options.runs / f"{setting.replace(' ', '_')}_{polarity}_{seed}"
                train(short_run(options.steps, rotation_deg, polarity, seed), options.photos, run)
                draw(panel, run, polarity, seed)
        panel.set(title=setting, xlabel="step", ylim=(0, 1))
        panel.axhline(0.5, color="0.8", zorder=0)
    axes[0].set_ylabel("share of light keypoints")
    axes[0].legend(fontsize="small")
    drawing.savefig(PLOT)


def short_run(steps: int, rotation_deg: float, polarity: str, seed: int) -> RunConf:
    """The preset nano on views of 128 px."""
    nano = PRESETS["nano"]
    sampling = replace(nano.objective.sampling, keypoints=(32, 32))
    return replace(
        nano,
        data=replace(nano.data, size=128, rotation_deg=rotation_deg),
        objective=replace(nano.objective, sampling=sampling, polarity=polarity),
        loop=replace(nano.loop, steps=steps, log_every=10, validate_every=0, seed=seed),
    )


def draw(panel: plt.Axes, run: Path, polarity: str, seed: int) -> None:
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    steps, light = [line["step"] for line in log], [line["light"] for line in log]
    style = {"free": "-", "light": "--", "dark": ":"}[polarity]
    colour = {"free": f"C{seed}", "light": "goldenrod", "dark": "black"}[polarity]
    name = f"free, seed {seed}" if polarity == "free" else f"asked for: {polarity}"
    if polarity != "free" and seed:
        name = "_"  # one entry of the legend for all seeds
    panel.plot(steps, light, style, color=colour, label=name)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", nargs="+", type=Path, required=True)
    parser.add_argument("--runs", type=Path, default=Path("runs/polarity"))
    parser.add_argument("--steps", type=count, default=300)
    parser.add_argument("--seeds", type=count, default=3, help="of each polarity")
    return parser.parse_args()


if __name__ == "__main__":
    main()
