"""Matching from the feature file to the match file: the engine beside a plain loop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import combinations, islice
from pathlib import Path

import numpy as np

from ... import match_features
from ...core.types import Features
from ...io.pairs_file import Pair
from ...io.store import FeatureWriter
from .plain_loops import plain_matching
from .timing import Timing, interleaved

IMAGES, DIM = 20, 128


def matching(work: Path, points: int, *, pairs: int, repeats: int) -> dict[str, Timing]:
    """Mutual nearest neighbours, seconds per pair; descriptors drawn at random."""
    features, chosen = drawn(work, points, pairs)
    runs: dict[str, Callable[[], object]] = {
        f"engine, {points} points": partial(engine(work, features, chosen), 1),
        f"plain loop, {points} points": partial(
            plain_matching, features, chosen, work / "plain-matches.h5"
        ),
    }
    return interleaved(runs, items=len(chosen), repeats=repeats)


def engine(work: Path, features: Path, pairs: list[Pair]) -> Callable[[int], object]:
    """Matching of all pairs again by a number of workers."""
    conf = match_features.preset("NN-mutual")

    def run(workers: int) -> None:
        path = work / "engine-matches.h5"
        path.unlink(missing_ok=True)
        match_features.main(conf, pairs, features, matches=path, device="cpu", workers=workers)

    return run


def drawn(work: Path, points: int, pairs: int) -> tuple[Path, list[Pair]]:
    """A feature file and pairs of its images: views of one scene, descriptors of the same points
    with noise, in another order."""
    path = work / f"points-{points}.h5"
    rng = np.random.default_rng(0)
    scene = rng.standard_normal((points, DIM))
    names = [f"{i:02d}.jpg" for i in range(IMAGES)]
    with FeatureWriter(path, {}, overwrite=True) as writer:
        for name in names:
            seen = rng.permutation(scene + rng.standard_normal(scene.shape))
            seen /= np.linalg.norm(seen, axis=1, keepdims=True)
            keypoints = rng.uniform(0, 1000, (points, 2)).astype(np.float32)
            scores = np.linspace(1, 0, points, dtype=np.float32)
            writer.write(name, Features(keypoints, scores, (1000, 1000), seen))
    return path, list(islice(combinations(names, 2), pairs))
