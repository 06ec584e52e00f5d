"""``python -m dad_sfm.synthetic [folder]``: draw the courtyard."""

import argparse
from pathlib import Path

from .export import render_courtyard

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m dad_sfm.synthetic", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("datasets/courtyard"))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(render_courtyard(options.folder, seed=options.seed))
