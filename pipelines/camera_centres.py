"""How far a model's cameras are from true positions, after the similarity that fits them best.

    python pipelines/camera_centres.py out/sparse/0 cases/pano360/centres.txt

Line n of the file holds x y z of the photos whose name is n (``3.jpg``, ``view/3.png.jpg``),
in metres.  Photos of one number, views of a rig, count once, by their mean.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

from dad_sfm.colmap.model import read_model
from dad_sfm.evaluation.poses import align


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="folder of a COLMAP model")
    parser.add_argument("centres", type=Path, help="x y z per line")
    options = parser.parse_args()
    true = np.loadtxt(options.centres)
    found = defaultdict(list)
    for name, image in read_model(options.model).images.items():
        found[int(Path(name).name.split(".")[0])].append(image.center)
    centres = np.array([np.mean(found[number], axis=0) for number in sorted(found)])
    wanted = true[sorted(found)]
    errors = 1000 * np.linalg.norm(align(centres, wanted).apply(centres) - wanted, axis=1)
    print(
        f"{len(found)} of {len(true)} positions, mean error {errors.mean():.1f} mm, "
        f"largest {errors.max():.1f} mm"
    )


if __name__ == "__main__":
    main()
