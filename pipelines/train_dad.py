"""Photos -> a light, a dark and a distilled, finished detector, on one GPU or CPU.

    python pipelines/train_dad.py --photos my_photos --out runs/dad

Stop it whenever you like; the same command resumes.
"""

import argparse
import logging
import sys
from pathlib import Path

from dad_sfm.core.arguments import add_set, add_watchdog
from dad_sfm.models.networks import NETWORKS
from dad_sfm.train.engine.watchdog import TrainingError
from dad_sfm.train.presets import PRESETS
from dad_sfm.train.recipe.plan import TRAINED, RecipeConf
from dad_sfm.train.recipe.stages import make


def main() -> None:
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    conf = RecipeConf.chosen(
        options.preset,
        network=options.network,
        steps=options.steps,
        seed=options.seed,
        changes=dict(options.set),
    )
    packaged = make(
        conf,
        options.photos,
        options.out,
        device=options.device,
        minutes=options.minutes,
        watched=options.watchdog,
    )
    print("\n".join(map(str, packaged)) or "not finished yet: the same command resumes")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", nargs="+", type=Path, required=True, help="folders of them")
    parser.add_argument("--out", type=Path, default=Path("runs/dad"))
    parser.add_argument("--preset", choices=sorted(PRESETS), default="dad")
    parser.add_argument("--network", choices=NETWORKS.names, help="instead of the preset's")
    parser.add_argument(
        "--steps",
        nargs="+",
        type=int,
        default=[],
        help=f"of every stage; or one each of {', '.join(TRAINED)} (0 = no finish)",
    )
    parser.add_argument("--seed", type=int, default=0)
    add_set(parser, "any other field of the preset's run: data.batch=4")
    add_watchdog(parser)
    parser.add_argument("--minutes", type=float, help="save and end after so long")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except (ValueError, FileNotFoundError, ImportError, TrainingError) as error:
        sys.exit(f"train_dad: {error}")
    except KeyboardInterrupt as interrupt:
        print(f"train_dad: {interrupt or 'interrupted'}", file=sys.stderr)
        sys.exit(130)
