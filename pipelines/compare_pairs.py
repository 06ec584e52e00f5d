"""What a choice of pairs costs and saves: models of the same features from several strategies.

    python pipelines/compare_pairs.py monstree exhaustive retrieval:num_matched=4
    python pipelines/compare_pairs.py lund exhaustive spatial+sequential:neighbors=8,overlap=3

Features are made once.  A line per strategy says how many pairs it chose, how many photos the
largest model (and the next ones) registered, and the CPU time of pairing, matching,
verification and mapping, with one thread each.
"""

from __future__ import annotations

import argparse
import logging
import time
from pathlib import Path

from dad_sfm import database, extract_features, match_features, pairs, reconstruction
from dad_sfm.colmap.model import read_model
from dad_sfm.core.arguments import assignment
from dad_sfm.io.pairs_file import read_pairs
from dad_sfm.io.scenes import find_scene
from dad_sfm.io.store import FeatureReader


def model_of(
    strategy: str, images: Path, features: Path, matcher: str, out: Path
) -> tuple[int, list[int], float]:
    """Number of pairs, of registered photos per model, and seconds."""
    name, _, text = strategy.partition(":")
    options = dict(assignment(part) for part in text.split(",") if part)
    out.mkdir(parents=True, exist_ok=True)
    start = time.process_time()
    chosen = pairs.main(
        out / "pairs.txt", features=features, image_dir=images, strategy=name, **options
    )
    matches = match_features.main(
        match_features.preset(matcher),
        chosen,
        features,
        matches=out / "matches.h5",
        overwrite=True,
        image_dir=images,
        workers=1,
    )
    verified = database.main(
        out / "database.db", images, features, chosen, matches, num_threads=1, overwrite=True
    )
    try:
        models = reconstruction.main(
            out / "sparse", verified, images, num_threads=1, overwrite=True
        )
    except reconstruction.ReconstructionError as error:
        logging.warning("%s: %s", strategy, error)
        models = []
    seconds = time.process_time() - start
    return len(read_pairs(chosen)), [len(read_model(model).images) for model in models], seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scene", help="folder of photos, or a name")
    parser.add_argument("strategies", nargs="+", help="a strategy, options behind a colon")
    parser.add_argument("--features", default="dad-nano+rootsift")
    parser.add_argument("--matcher", default="NN-mutual")
    parser.add_argument("--out", type=Path, default=Path("outputs/compare_pairs"))
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    scene = find_scene(options.scene)
    features = extract_features.main(
        extract_features.preset(options.features),
        scene.image_dir,
        feature_path=options.out / scene.name / f"{options.features}.h5",
        workers=1,
    )
    with FeatureReader(features) as reader:
        photos = len(reader.names())
    print("| scene | pairs by | pairs | of all | registered | CPU seconds |")
    print("|---|---|---|---|---|---|")
    for number, strategy in enumerate(options.strategies):
        out = options.out / scene.name / f"{number}"
        count, registered, seconds = model_of(
            strategy, scene.image_dir, features, options.matcher, out
        )
        share = 100 * count / (photos * (photos - 1) / 2)
        print(
            f"| {scene.name} | `{strategy}` | {count} | {share:.0f} % "
            f"| {' + '.join(map(str, registered)) or 'none'} of {photos} | {seconds:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
