"""Photos that lie on their side without saying so: by how many quarter turns each is upright.

Photos that look alike are matched by descriptors that turn with the picture; how the matched
points lie to each other tells by how much one photo is turned against the other.  The turns that
agree with these votes follow from the clearest pairs first (a maximum spanning tree) and then from
all, photo by photo.  No match says what is up for all of them: that most are upright is assumed.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.device import choose_device
from ..core.progress import progress
from ..core.types import Features
from ..execution.extractor import Extractor
from ..execution.loading import Photo, PhotoLoader, Preprocessing
from ..io.images import ImageError
from ..io.listing import natural_order, resolve_list
from ..io.turns import write_turns
from ..matchers.nearest import NearestNeighbor, NearestNeighborConf
from ..retrieval.image_vectors import VladConf
from ..retrieval.top_k import top_k
from ..retrieval.vlad import train_codebook, vlad

logger = logging.getLogger(__name__)

_SWEEPS = 10  # over all photos; two or three settle
_TRIALS = 1000  # pairs of matches, drawn for each pair of photos
_MAX_SCALE = 3.0  # of one photo against the other
_TOLERANCE = 0.04  # of the long side
_CODEBOOK = 65_536  # descriptors that the codebook of the collection is made from


@dataclass(frozen=True)
class TurnsConf:
    """How turns are searched for.

    resize_max, max_keypoints
                 of the copies that are matched
    num_matched  most similar photos that each is matched with
    overlap      next ones by name that each is matched with
    min_votes    of a pair that counts; wrong matches alone give up to ten
    """

    resize_max: int = 640
    max_keypoints: int = 512
    num_matched: int = 5
    overlap: int = 2
    min_votes: int = 15


def find_turns(
    image_dir: Path | str,
    out: Path | str,
    *,
    image_list: Path | str | Iterable[str] | None = None,
    conf: TurnsConf | None = None,
    device: str = "auto",
) -> Path:
    """Write the quarter turns of the photos that are not upright; returns the path, ``out``.

    The file is what `Preprocessing.turns` reads.  Raises what listing and extraction raise.
    """
    conf = conf or TurnsConf()
    names = sorted(resolve_list(image_dir, image_list), key=natural_order)
    described = _describe(names, Path(image_dir), conf, str(choose_device(device)))
    usable = [name for name in names if name in described]
    turns = solve_turns(len(usable), _votes(usable, described, conf))
    found = {name: turn for name, turn in zip(usable, turns, strict=True) if turn}
    write_turns(out, found)
    logger.info("%s: %d of %d photos are to be turned", out, len(found), len(names))
    return Path(out)


def solve_turns(count: int, votes: Mapping[tuple[int, int], np.ndarray]) -> list[int]:
    """Quarter turns, clockwise, that make each of ``count`` photos upright.

    votes  of pairs (i, j), four numbers: the weight of j having to be turned by r more than i
    """
    neighbours: dict[int, list[tuple[int, np.ndarray]]] = {i: [] for i in range(count)}
    for (i, j), weights in votes.items():
        neighbours[i].append((j, weights))
        neighbours[j].append((i, weights[[0, 3, 2, 1]]))
    turns, groups = _spanning_turns(count, votes)
    for _ in range(_SWEEPS):
        changed = False
        for i in range(count):
            # With j turned by t and i by t - r, the weight of r supports i's turn.
            support = np.zeros(4)
            for j, weights in neighbours[i]:
                support += weights[(turns[j] - np.arange(4)) % 4]
            best = int(support.argmax())
            if support[best] > support[turns[i]]:
                turns[i], changed = best, True
        if not changed:
            break
    for group in groups:
        usual = Counter(turns[i] for i in group).most_common()
        most = max(n for _, n in usual)
        common = min(turn for turn, n in usual if n == most)
        for i in group:
            turns[i] = (turns[i] - common) % 4
    return turns


def _spanning_turns(
    count: int, votes: Mapping[tuple[int, int], np.ndarray]
) -> tuple[list[int], list[list[int]]]:
    """Turns by a maximum spanning tree of how clear the votes are, and its trees' members."""
    turns, groups = [0] * count, {i: [i] for i in range(count)}
    owner = list(range(count))

    def clearness(pair: tuple[int, int]) -> float:
        weights = np.sort(votes[pair])
        return float(weights[-1] - weights[-2])

    for i, j in sorted(votes, key=lambda pair: (-clearness(pair), pair)):
        if owner[i] == owner[j] or clearness((i, j)) <= 0:
            continue
        wanted = turns[i] + int(votes[i, j].argmax())
        shift, kept, moved = (wanted - turns[j]) % 4, owner[i], owner[j]
        for member in groups[moved]:
            turns[member] = (turns[member] + shift) % 4
            owner[member] = kept
        groups[kept] += groups.pop(moved)
    return turns, list(groups.values())


def _describe(names: list[str], root: Path, conf: TurnsConf, device: str) -> dict[str, Features]:
    """Features of each photo, in the pixels of its copy; photos that fail are left out, and are
    said to be in extraction."""
    extractor = Extractor(
        {
            "name": "dad-nano",
            "max_keypoints": conf.max_keypoints,
            "descriptor": {"name": "rootsift", "orientation": "dominant"},
        },
        device=device,
    )
    load = PhotoLoader(
        root, names, Preprocessing(resize_max=conf.resize_max), stride=extractor.stride
    )
    found = {}
    for name in progress(names, "turns", unit="image"):
        try:
            photo = load(name)
        except ImageError as error:
            logger.debug("%s", error)
            continue
        # As if the copy were a file of its own: turns are counted from what EXIF says.
        found[name] = extractor([Photo(photo.pixels, photo.size, photo.mask)])[0]
    return found


def _votes(
    names: list[str], described: Mapping[str, Features], conf: TurnsConf
) -> dict[tuple[int, int], np.ndarray]:
    """Votes of photos that may show the same; see `solve_turns`."""
    pairs = {(i, i + d) for i in range(len(names)) for d in range(1, conf.overlap + 1)}
    pairs = {(i, j) for i, j in pairs if j < len(names)}
    descriptors = [_descriptors(described[name]) for name in names]
    if sum(map(len, descriptors)):
        step = max(1, sum(map(len, descriptors)) // _CODEBOOK)
        sample = np.concatenate([part[::step] for part in descriptors])
        centres = train_codebook(sample, VladConf().words)
        vectors = np.stack([vlad(part, centres) for part in descriptors])
        for i, similar in top_k(vectors, conf.num_matched):
            pairs |= {(min(i, int(j)), max(i, int(j))) for j in similar}
    matcher = NearestNeighbor(NearestNeighborConf())
    votes = {}
    for i, j in progress(sorted(pairs), "turns", unit="pair"):
        matches = matcher.match(descriptors[i], descriptors[j]).indices
        weights = turn_votes(
            described[names[i]].keypoints_px[matches[:, 0]],
            described[names[j]].keypoints_px[matches[:, 1]],
            tolerance=_TOLERANCE * conf.resize_max,
        )
        if weights.max() >= conf.min_votes:
            votes[i, j] = weights
    return votes


def turn_votes(points0: np.ndarray, points1: np.ndarray, *, tolerance: float) -> np.ndarray:
    """Votes of N×2 matched points for image 1 to be turned clockwise by 0 to 3 quarters, which
    brings it into the pose of image 0.

    Two matches make a similarity; the votes for a turn are the most matches that agree with one
    of about that turn, up to ``tolerance`` pixels: coarsely, since no scene is a plane.
    """
    votes = np.zeros(4)
    if len(points0) < 3:
        return votes
    # As complex numbers, a similarity is z -> a z + b, and its turn the angle of a.
    z0, z1 = points0 @ [1, 1j], points1 @ [1, 1j]
    first, second = np.random.default_rng(0).integers(0, len(z0), (2, _TRIALS))
    far = np.minimum(abs(z0[first] - z0[second]), abs(z1[first] - z1[second])) > 2 * tolerance
    first, second = first[far], second[far]
    a = (z0[first] - z0[second]) / (z1[first] - z1[second])
    plausible = (abs(a) > 1 / _MAX_SCALE) & (abs(a) < _MAX_SCALE)
    a, first = a[plausible], first[plausible]
    error = abs(a[:, None] * (z1 - z1[first][:, None]) + z0[first][:, None] - z0)
    inliers = (error < tolerance).sum(axis=1)
    quarter = np.round(np.angle(a) / (np.pi / 2)).astype(int) % 4  # clockwise, since y is down
    np.maximum.at(votes, quarter, inliers)
    return votes


def _descriptors(features: Features) -> np.ndarray:
    found = features.descriptors
    return np.zeros((0, 1), np.float32) if found is None else found.astype(np.float32)
