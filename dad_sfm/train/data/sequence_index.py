"""Sequences of MegaDepth: a head and partners that overlap with it, drawn from an index of pairs.

One file a scene in ``sequence_info/``, with the images, intrinsics and poses of the index of pairs
and, instead of its pairs, ``sequence_infos`` (S×5: head, then partners) and ``sequence_scores``
(S×4: the overlaps), the classes of difficulty one after the other, the easiest first.
Source: TraqPoint (CVPR 2026).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...io.npz_archive import ArchiveError, read_npz
from .indexed_scene import IndexedScene, MegaDepthError
from .megadepth_index import KEYS, read_index, scene_of

FOLDER = "sequence_info"
# The easiest first: the range of overlaps, and how many sequences a scene has of it.
CLASSES = (((0.5, 0.7), 630), ((0.3, 0.5), 210), ((0.1, 0.3), 210))
MAX_GAP = 2000  # between the numbers of a head and a partner
PARTNERS = 4


def draw_sequences(
    pairs: np.ndarray,
    overlaps: np.ndarray,
    rng: np.random.Generator,
    *,
    classes: Sequence[tuple[tuple[float, float], int]] = CLASSES,
    max_gap: int = MAX_GAP,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw sequences from pairs (P×2) and their overlaps (P): S×5 numbers and S×4 overlaps.

    In each class every head with enough partners has the same chance; fewer sequences are drawn
    where there are no heads, and none twice.
    """
    infos, scores = [], []
    near = np.abs(pairs[:, 0] - pairs[:, 1]) <= max_gap
    for (low, high), count in classes:
        partners = defaultdict(list)
        for row in np.flatnonzero(near & (overlaps >= low) & (overlaps < high)):
            i, j = map(int, pairs[row])
            partners[i].append((j, float(overlaps[row])))
            partners[j].append((i, float(overlaps[row])))
        heads = sorted(head for head, found in partners.items() if len(found) >= PARTNERS)
        drawn: set[tuple[int, ...]] = set()
        for _ in range(count if heads else 0):
            head = heads[int(rng.integers(len(heads)))]
            chosen = rng.permutation(len(partners[head]))[:PARTNERS]
            others = [partners[head][k] for k in chosen]
            names = (head, *sorted(name for name, _ in others))
            if names in drawn:
                continue
            drawn.add(names)
            infos.append([head, *(name for name, _ in others)])
            scores.append([overlap for _, overlap in others])
    return (
        np.array(infos, np.int32).reshape(-1, 1 + PARTNERS),
        np.array(scores, np.float32).reshape(-1, PARTNERS),
    )


def write_sequences(root: Path | str, *, seed: int = 0) -> Path:
    """Draw the sequences of all scenes of a MegaDepth folder into ``ROOT/sequence_info``, which is
    returned.  A scene's depend on the seed and its name alone.  Raises `MegaDepthError`."""
    folder = Path(root) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for scene in read_index(root):
        rng = np.random.default_rng([seed, *scene.name.encode()])
        infos, scores = draw_sequences(scene.pairs, scene.overlaps, rng)
        source = Path(root) / "scene_info" / f"{scene.name}.npz"
        try:
            info = read_npz(source, KEYS)
        except ArchiveError as error:
            raise MegaDepthError(f"sequences are drawn from scene_info/*.npz: {error}") from error
        if len(infos):
            np.savez(
                folder / f"{scene.name}.npz", **info, sequence_infos=infos, sequence_scores=scores
            )
    return folder


def read_sequences(root: Path | str) -> list[tuple[IndexedScene, np.ndarray, np.ndarray]]:
    """Scenes with their sequences (S×5) and scores (S×4).  Raises `MegaDepthError`."""
    files = sorted((Path(root) / FOLDER).glob("*.npz"))
    if not files:
        raise MegaDepthError(
            f"no sequences in {Path(root) / FOLDER}; draw them: dad-sfm train sequences {root}"
        )
    return [_read(Path(root), path) for path in files]


def _read(root: Path, path: Path) -> tuple[IndexedScene, np.ndarray, np.ndarray]:
    try:
        info: dict[str, Any] = read_npz(path, KEYS | {"sequence_infos", "sequence_scores"})
    except ArchiveError as error:
        raise MegaDepthError(str(error)) from error
    none = np.zeros((0, 2), np.int32), np.zeros(0, np.float32)
    return scene_of(root, path.stem, info, *none), info["sequence_infos"], info["sequence_scores"]
