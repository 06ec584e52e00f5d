"""The view graph of a database: which images share how many matches, and what hangs together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

Pair = tuple[str, str]


@dataclass(frozen=True)
class ViewGraph:
    """What a database says about its images.

    keypoints  number of keypoints by image name; every image of the database is here
    matches    number of matches by pair, before verification
    inliers    number of verified matches by pair; only pairs that have any
    """

    keypoints: dict[str, int]
    matches: dict[Pair, int]
    inliers: dict[Pair, int]

    def components(self) -> list[list[str]]:
        """Images joined by verified pairs, largest set first; names are sorted.

        An image without any verified pair is a component of its own.
        """
        return connected(self.keypoints, self.inliers)

    def best_matches(self) -> dict[str, int]:
        """Matches of the best pair of each image, 0 where there is none."""
        return self._best(self.matches)

    def best_inliers(self) -> dict[str, int]:
        """Inliers of the best pair of each image, 0 where there is none."""
        return self._best(self.inliers)

    def _best(self, counts: Mapping[Pair, int]) -> dict[str, int]:
        best = dict.fromkeys(self.keypoints, 0)
        for pair, count in counts.items():
            for name in pair:
                best[name] = max(best[name], count)
        return best


def connected(nodes: Iterable[str], edges: Iterable[Pair]) -> list[list[str]]:
    """Connected components, largest first, each sorted; equal sizes by their first name."""
    neighbours: Mapping[str, set[str]] = defaultdict(set)
    for a, b in edges:
        neighbours[a].add(b)
        neighbours[b].add(a)
    found, seen = [], set()
    for start in sorted(nodes):
        if start in seen:
            continue
        seen.add(start)
        component, queue = [], [start]
        while queue:
            node = queue.pop()
            component.append(node)
            new = neighbours[node] - seen
            seen |= new
            queue.extend(new)
        found.append(sorted(component))
    return sorted(found, key=lambda names: (-len(names), names[0]))


def read_view_graph(database: Path | str) -> ViewGraph:
    """Read counts only, no keypoints or matches.  Raises `FileNotFoundError`."""
    import pycolmap

    path = Path(database)
    if not path.is_file():
        raise FileNotFoundError(f"no such database: {path}; run the database step first")
    with pycolmap.Database.open(str(path)) as db:
        names = {image.image_id: image.name for image in db.read_all_images()}
        keypoints = {n: int(db.num_keypoints_for_image(i)) for i, n in sorted(names.items())}

        def by_pair(ids: Iterable[int], counts: Iterable[int]) -> dict[Pair, int]:
            pairs = (pycolmap.pair_id_to_image_pair(i) for i in ids)
            named = ((names[a], names[b]) for a, b in pairs)
            return {p: int(c) for p, c in zip(named, counts, strict=True)}

        matches = by_pair(*db.read_num_matches())
        inliers = by_pair(*db.read_two_view_geometry_num_inliers())
    return ViewGraph(keypoints, matches, {p: c for p, c in inliers.items() if c})


def read_inliers(database: Path | str, pairs: Iterable[Pair]) -> Iterator[tuple[Pair, np.ndarray]]:
    """Yield each pair with its verified matches: K×2 keypoint numbers, in the order of the names.

    Raises `FileNotFoundError`.
    """
    import pycolmap

    path = Path(database)
    if not path.is_file():
        raise FileNotFoundError(f"no such database: {path}; run the database step first")
    with pycolmap.Database.open(str(path)) as db:
        ids = {image.name: image.image_id for image in db.read_all_images()}
        for a, b in pairs:
            found = db.read_two_view_geometry(ids[a], ids[b]).inlier_matches
            yield (a, b), np.asarray(found, np.int64).reshape(-1, 2)
