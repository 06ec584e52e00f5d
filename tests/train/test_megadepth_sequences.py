from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch

from dad_sfm.core.config import ConfigError
from dad_sfm.train.data.indexed_scene import MegaDepthError
from dad_sfm.train.data.megadepth_sequences import (
    MegaDepthSequenceConf,
    MegaDepthSequences,
    rows_of,
)
from dad_sfm.train.data.sequence_index import FOLDER, draw_sequences, read_sequences

CLASSES = (((0.5, 0.7), 30), ((0.1, 0.5), 10))


def graph() -> tuple[np.ndarray, np.ndarray]:
    """Images 0 to 5 overlap by 0.6 with each other, and by 0.2 with 6; 3000 is too far away."""
    pairs = [
        *combinations(range(6), 2),
        *((i, 6) for i in range(6)),
        *((i, 3000) for i in range(6)),
    ]
    overlaps = [0.6] * 15 + [0.2] * 6 + [0.6] * 6
    return np.array(pairs), np.array(overlaps)


def test_sequences_are_a_head_and_partners_of_one_class() -> None:
    pairs, overlaps = graph()
    infos, scores = draw_sequences(pairs, overlaps, np.random.default_rng(0), classes=CLASSES)
    easy = (scores == np.float32(0.6)).all(axis=1)
    assert 15 < easy.sum() <= 30  # of 6 heads times 5 sets of partners, none twice
    assert infos[easy].max() == 5
    # Only image 6 has four partners at 0.2: there are 15 sets of them.
    assert (infos[~easy][:, 0] == 6).all()
    assert 5 < (~easy).sum() <= 10
    assert easy[: easy.sum()].all()  # the easiest come first
    for row in infos:
        assert len(set(row.tolist())) == 5
    assert len({(row[0], *sorted(row[1:])) for row in infos.tolist()}) == len(infos)
    again, _ = draw_sequences(pairs, overlaps, np.random.default_rng(0), classes=CLASSES)
    np.testing.assert_array_equal(infos, again)


def test_too_few_partners_make_no_sequence() -> None:
    pairs = np.array(list(combinations(range(4), 2)))
    infos, scores = draw_sequences(pairs, np.full(6, 0.6), np.random.default_rng(0))
    assert infos.shape == (0, 5)
    assert scores.shape == (0, 4)


def test_rows_of_a_class() -> None:
    scores = np.array([[0.6] * 4, [0.4] * 4, [0.2] * 4, [0.55] * 4])
    assert rows_of(scores, 0).tolist() == [0, 3]
    assert rows_of(scores, 2).tolist() == [2]
    assert rows_of(scores[:1], 2).tolist() == [0]
    assert rows_of(scores, None).tolist() == [0, 1, 2, 3]


def with_sequences(root: Path) -> Path:
    """The folder of the fixture with sequences of its three views, two frames and repetitions."""
    source = np.load(root / "scene_info/0001.npz", allow_pickle=True)
    arrays = {key: source[key] for key in source.files if key != "pair_infos"}
    (root / FOLDER).mkdir(exist_ok=True)
    np.savez(
        root / FOLDER / "0001.npz",
        **arrays,
        sequence_infos=np.array([[0, 1, 2, 1, 2]], np.int32),
        sequence_scores=np.full((1, 4), 0.6, np.float32),
    )
    return root


def test_batches_are_read_from_the_layout(megadepth: Path) -> None:
    root = with_sequences(megadepth)
    ((scene, infos, scores),) = read_sequences(root)
    assert scene.name == "0001"
    assert infos.shape == (1, 5)
    assert scores.shape == (1, 4)
    conf = MegaDepthSequenceConf(
        size=64, batch=2, frames=2, megadepth=str(root), consistency=0.05, shift_px=0.0
    )
    data = MegaDepthSequences((), conf, seed=0)
    batch = data.batch(0).to(torch.device("cpu"))
    assert batch.frames.shape == (2, 2, 3, 64, 64)
    assert batch.valid.float().mean() > 0.05
    assert torch.equal(batch.warps, data.batch(0).to(torch.device("cpu")).warps)


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(MegaDepthError, match="dad-sfm train sequences"):
        MegaDepthSequences((), MegaDepthSequenceConf(megadepth=str(tmp_path)), seed=0)
    with pytest.raises(ConfigError, match="have 4 beside the head"):
        MegaDepthSequenceConf(frames=5)
