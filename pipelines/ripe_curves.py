"""RIPE alone, from random weights: repeatability and matching on held-out photos over training.

    python pipelines/ripe_curves.py --photos bsds500 urban100 sunhays80 --places places \
        --run runs/ripe

Positive pairs are two warped views of a photo, or two photos of one folder of ``--places``,
negative ones views of two photos, or photos of two folders; the objective sees the label of a pair
alone.  The run resumes where it was stopped.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from dad_sfm.train.data.plugs import LABELLED, data_conf
from dad_sfm.train.presets import PRESETS
from dad_sfm.train.runs import train

# Of the held-out photos; then of the training pairs, means over the steps between two lines.
JUDGED = {
    "repeatability_1px": "repeatability, 1 px",
    "repeatability_3px": "repeatability, 3 px",
    "matching": "matching score",
    "match_precision": "share of the matches that is right",
}
TRAINED = {
    "inliers_positive": "inliers, positive pairs",
    "inliers_negative": "inliers, negative pairs",
}


def main() -> None:
    options = _options()
    preset = PRESETS["ripe-nano"]
    every = min(options.steps, preset.loop.validate_every)
    loop = replace(preset.loop, steps=options.steps, seed=options.seed, validate_every=every)
    data = preset.data
    if options.places:
        data = data_conf(LABELLED, "homography+folders", data, places=str(options.places))
    train(replace(preset, data=data, loop=loop), options.photos, options.run)
    log = [json.loads(line) for line in (options.run / "log.jsonl").read_text().splitlines()]
    options.plot.parent.mkdir(parents=True, exist_ok=True)
    draw(log, options.plot)
    print("\n".join(table(log)))


def table(log: list[dict]) -> list[str]:
    """The first and the last validation as a table of markdown."""
    judged = [line for line in log if "matching" in line]
    lines = ["| | " + " | ".join(JUDGED.values()) + " |", "|" + "---|" * (1 + len(JUDGED))]
    for line in (judged[0], judged[len(judged) // 2], judged[-1]):
        cells = [f"{100 * line[name]:.1f}%" for name in JUDGED]
        lines.append(f"| step {line['step']} | " + " | ".join(cells) + " |")
    return lines


def draw(log: list[dict], path: Path) -> None:
    figure, (judged, trained) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    for panel, names in ((judged, JUDGED), (trained, TRAINED)):
        for name, label in names.items():
            lines = [line for line in log if name in line]
            panel.plot([x["step"] for x in lines], [x[name] for x in lines], label=label)
        panel.set(xlabel="step", ylim=(0, None))
        panel.legend(fontsize="small")
    judged.set_title("held-out photos", fontsize="medium")
    trained.set_title("training pairs", fontsize="medium")
    figure.savefig(path)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, nargs="+", required=True)
    parser.add_argument("--places", type=Path, help="folder of folders of photos of one place")
    parser.add_argument("--run", type=Path, required=True, help="run folder, made or resumed")
    parser.add_argument("--steps", type=int, default=PRESETS["ripe-nano"].loop.steps)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plot", type=Path, default=Path("docs/images/ripe.svg"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
