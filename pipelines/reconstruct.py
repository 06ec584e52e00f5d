"""The five steps one by one: what `dad-sfm reconstruct` does, to copy and change.

python pipelines/reconstruct.py path/to/images outputs/mine
"""

import sys
from pathlib import Path

from dad_sfm import database, extract_features, match_features, pairs, reconstruction


def main(image_dir: Path, out: Path) -> None:
    features_conf = extract_features.confs["dad-nano+rootsift"]
    matcher_conf = match_features.confs["NN-mutual"]

    features = extract_features.main(features_conf, image_dir, feature_path=out / "features.h5")
    pairs_file = pairs.main(out / "pairs.txt", features=features, strategy="exhaustive")
    matches = match_features.main(matcher_conf, pairs_file, features, matches=out / "matches.h5")
    db = database.main(
        out / "database.db", image_dir, features, pairs_file, matches, overwrite=True
    )
    models = reconstruction.main(out / "sparse", db, image_dir, overwrite=True)
    print("largest model:", models[0])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
