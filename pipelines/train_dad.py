"""Photos -> a light, a dark and a distilled, finished detector, on one GPU or CPU, in slices.

    python pipelines/train_dad.py --photos my_photos --out runs/dad     # the first time
    python pipelines/train_dad.py --out runs/dad                        # and again, until finished

The first call packs the photos into one file; each call trains for one slice and leaves
checkpoints in small files, from which the next call goes on: here, or on another machine that is
given the folder without its `work`.  `--slices 0` goes on to the end.
"""

import argparse
import sys
from itertools import islice
from pathlib import Path
from typing import get_args

from dad_sfm.core.arguments import add_set, add_watchdog
from dad_sfm.models.networks import NETWORKS
from dad_sfm.train.engine.watchdog import TrainingError
from dad_sfm.train.presets import PRESETS
from dad_sfm.train.recipe.carried import Carry
from dad_sfm.train.recipe.folder import RecipeFolder
from dad_sfm.train.recipe.photo_pack import PackError, pack
from dad_sfm.train.recipe.plan import TRAINED, RecipeConf
from dad_sfm.train.recipe.stages import SliceConf, slices


def main() -> None:
    options = _options()
    folder = RecipeFolder(options.out)
    if folder.photos.is_file():
        print(f"the photos are those in {folder.photos}")
    elif options.photos:
        pack(options.photos, folder.photos, max_bytes=int(options.pack_mb * 1e6))
    else:
        raise PackError(f"{options.out} has no photos yet: name folders of them with --photos")

    conf = RecipeConf.chosen(
        options.preset,
        network=options.network,
        steps=options.steps,
        seed=options.seed,
        changes=dict(options.set),
    )
    slicing = SliceConf(
        options.slice_minutes, int(options.part_mb * 1e6), options.carry, options.watchdog
    )
    for progress in islice(
        slices(conf, folder.root, slicing, device=options.device), options.slices or None
    ):
        print(
            f"slice {progress.slices} done; next: {progress.stage}, step {progress.step}",
            flush=True,
        )
    print("\n".join(map(str, sorted(folder.packaged.glob("*.safetensors")))))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", nargs="+", type=Path, help="folders; the first time only")
    parser.add_argument("--out", type=Path, default=Path("runs/dad"))
    parser.add_argument("--preset", choices=sorted(PRESETS), default="dad")
    parser.add_argument("--network", choices=sorted(NETWORKS), help="instead of the preset's")
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
    parser.add_argument("--slices", type=int, default=1, help="slices to run; 0 = to the end")
    parser.add_argument("--slice-minutes", type=float, default=8.0)
    parser.add_argument("--pack-mb", type=float, default=45.0, help="largest file of photos")
    parser.add_argument("--part-mb", type=float, default=15.0, help="largest file of a checkpoint")
    parser.add_argument(
        "--carry", choices=get_args(Carry), default="exact", help="what a checkpoint in parts holds"
    )
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
