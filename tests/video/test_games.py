"""Games of the Arcade Learning Environment, and data sets of them."""

import numpy as np
import pytest

from dad_sfm import cli
from dad_sfm.core.config import ConfigError
from dad_sfm.video.clips import read_clips
from dad_sfm.video.games import make_game
from dad_sfm.video.sprites import visible_sprites

pytest.importorskip("gymnasium", reason="the extra atari is not installed")
pytest.importorskip("ale_py", reason="the extra atari is not installed")


def test_a_game_is_seen_in_steps_of_four_frames():
    game = make_game("mspacman")
    frame = game.reset(seed=0)
    assert frame.shape == (84, 84, 3)
    assert frame.dtype == np.uint8
    assert game.num_actions == 9
    lives, total, steps = game.lives(), 0.0, 0
    while not (done := game.step(2))[2]:
        total, steps = total + done[1], steps + 1
    assert (lives, game.lives()) == (3, 0)
    assert total > 0  # there are pills on the way up
    assert steps > 50
    game.close()


def test_an_unknown_game_is_refused_by_name():
    with pytest.raises(ConfigError, match="there are: mspacman"):
        make_game("pong")


def test_one_command_makes_a_data_set(tmp_path):
    line = f"video record --env mspacman --data-dir {tmp_path} --train 30 --test 20 --length 20"
    assert cli.main(line.split()) == 0
    train, test = (read_clips(tmp_path, split, "mspacman") for split in ("train", "test"))
    assert [len(clip.frames) for clip in (*train, *test)] == [20, 20, 20]
    frames, ram = test[0].frames, test[0].ram
    shown = np.isfinite(visible_sprites("mspacman", frames, ram)).all(axis=-1)
    assert shown[:, 4].mean() > 0.9  # the player
    assert shown[:, 5].sum() == 0  # no fruit at the beginning
    assert cli.main(line.split()) == 1  # nothing is overwritten
