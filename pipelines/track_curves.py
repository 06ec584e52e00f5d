"""Curves of `dad-sfm train track`: what a run earns, and the warm-up on and off.

    python pipelines/track_curves.py --run runs/track --warm runs/warm --cold runs/cold \
        --plot docs/images/track.svg

``--run`` is from a network that detects already; ``--warm`` and ``--cold`` are from random weights,
with a warm-up and without, and are judged on held-out photos meanwhile (docs/traqpoint.md).
"""

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

EARNED = {
    "found": "found again",
    "distinctive": "distinctiveness",
    "consensus": "KL to the consensus",
}
SMOOTH = 4  # lines of the log: every batch shows other sequences


def read_log(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def means(values: list[float], count: int = SMOOTH) -> np.ndarray:
    """Means of as many values in a row."""
    return np.convolve(values, np.full(count, 1 / count), mode="valid")


def draw(run: Path, warm: Path, cold: Path, plot: Path) -> None:
    figure, (earned, judged) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    log = [line for line in read_log(run) if "found" in line]
    steps = means([line["step"] for line in log])
    for name, label in EARNED.items():
        earned.plot(steps, means([line[name] for line in log]), label=label)
    earned.set_title("from nano: training sequences", fontsize="medium")
    for folder, label in ((warm, "FAST warm-up"), (cold, "none")):
        lines = [line for line in read_log(folder) if "repeatability_3px" in line]
        for name, style in (("repeatability_3px", "-"), ("repeatability_1px", "--")):
            px = name.removeprefix("repeatability_").removesuffix("px")
            judged.plot(
                [line["step"] for line in lines],
                [line[name] for line in lines],
                style,
                color="C0" if folder == warm else "C1",
                label=f"{label}, {px} px",
            )
    judged.set_title("from random weights: repeatability, held-out photos", fontsize="medium")
    for panel in (earned, judged):
        panel.set(xlabel="step", ylim=(0, None))
        panel.legend(fontsize="small")
    plot.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(plot)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("run", "warm", "cold"):
        parser.add_argument(f"--{name}", type=Path, required=True, help="folder of a run")
    parser.add_argument("--plot", type=Path, default=Path("docs/images/track.svg"))
    options = parser.parse_args()
    draw(options.run, options.warm, options.cold, options.plot)
    print(options.plot)


if __name__ == "__main__":
    main()
