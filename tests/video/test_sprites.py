"""Where sprites are, from bytes."""

import numpy as np
import pytest

from dad_sfm.core.config import ConfigError
from dad_sfm.video.distractors import BAR_RGB
from dad_sfm.video.sprites import SPRITES, sprite_positions, visible_sprites

BLUE = SPRITES["mspacman"].scenery[0]


@pytest.fixture
def ram():
    """The player's sprite covers columns 80 to 87 and rows 101 to 110 of the screen; no others."""
    ram = np.zeros((1, 128), dtype=np.uint8)
    ram[0, 10], ram[0, 16] = 92, 100
    return ram


def test_the_middle_of_a_sprite_is_where_it_was_seen(ram):
    points = sprite_positions("mspacman", ram, size=84)[0]
    assert np.isnan(points[[0, 1, 2, 3, 5]]).all()
    # (83.5 + 0.5) · 84 / 160 - 0.5 and (105.5 + 0.5) · 84 / 210 - 0.5
    assert points[4] == pytest.approx([43.6, 41.9])


@pytest.mark.parametrize(("colour", "visible"), [((210, 164, 74), True), (BAR_RGB, False)])
def test_only_what_a_frame_shows_is_visible(ram, colour, visible):
    frame = np.full((1, 84, 84, 3), BLUE, dtype=np.uint8)
    assert np.isnan(visible_sprites("mspacman", frame, ram)).all()
    frame[0, 40:44, 42:46] = colour
    assert np.isfinite(visible_sprites("mspacman", frame, ram)[0, 4]).all() == visible


def test_games_without_known_bytes_are_refused(ram):
    with pytest.raises(ConfigError, match="known: mspacman"):
        sprite_positions("enduro", ram, size=84)
