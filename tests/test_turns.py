"""Quarter turns of photos that do not say how they were held."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dad_sfm.io.turns import read_turns
from dad_sfm.pipeline.turns import TurnsConf, find_turns, solve_turns, turn_votes


@pytest.mark.parametrize("turn", range(4))
def test_matched_points_tell_the_turn(turn: int) -> None:
    rng = np.random.default_rng(1)
    points0 = rng.uniform(0, 100, (80, 2))
    x, y = points0.T
    # Where the points are after the picture is turned clockwise by the other quarters: a corner
    # on the left (x = 0) at the top goes to the right side.
    turned = {0: (x, y), 3: (100 - y, x), 2: (100 - x, 100 - y), 1: (y, 100 - x)}[turn]
    points1 = np.column_stack(turned)
    wrong = slice(0, 40)
    points1[wrong] = rng.uniform(0, 100, (40, 2))
    votes = turn_votes(points0, points1, tolerance=3)
    assert votes.argmax() == turn
    assert 40 <= votes[turn] < 45  # half of the matches are right
    assert np.delete(votes, turn).max() < 10


def test_too_few_matches_vote_for_nothing() -> None:
    for count in (1, 3):
        assert not turn_votes(np.zeros((count, 2)), np.zeros((count, 2)), tolerance=3).any()


def test_the_clearest_pairs_come_first_and_most_photos_are_upright() -> None:
    true = [1, 0, 0, 3, 0]

    def vote(i: int, j: int, weight: float, error: int = 0) -> dict:
        weights = np.zeros(4)
        weights[(true[j] - true[i] + error) % 4] = weight
        return {(i, j): weights}

    votes = {**vote(0, 1, 20), **vote(1, 2, 30), **vote(2, 3, 25), **vote(0, 3, 9, error=2)}
    assert solve_turns(5, votes) == true
    assert solve_turns(3, {}) == [0, 0, 0]


def test_photos_of_one_scene(tmp_path: Path) -> None:
    """Overlapping parts of a picture, two of them on their side."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 255, (22, 40), dtype=np.uint8)
    picture = Image.fromarray(coarse).resize((640, 352), Image.Resampling.BICUBIC)
    turned = {"2.png": 1, "4.png": 2}
    for i in range(5):
        part = picture.crop((60 * i, 0, 60 * i + 320, 352))
        part.rotate(90 * turned.get(f"{i}.png", 0), expand=True).save(tmp_path / f"{i}.png")
    out = find_turns(
        tmp_path, tmp_path / "turns.txt", conf=TurnsConf(resize_max=352, max_keypoints=256)
    )
    assert read_turns(out) == turned
