"""The file of quarter turns, and photos turned by it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dad_sfm.execution.loading import PhotoLoader, Preprocessing
from dad_sfm.io.photos import read_photo
from dad_sfm.io.text_lists import ListError
from dad_sfm.io.turns import read_turns, write_turns


def test_what_is_written_is_read(tmp_path: Path) -> None:
    turns = {"day 1/a b.jpg": 1, "c.jpg": 3}
    write_turns(tmp_path / "turns.txt", turns)
    assert read_turns(tmp_path / "turns.txt") == turns
    assert "270 c.jpg" in (tmp_path / "turns.txt").read_text().splitlines()


@pytest.mark.parametrize("line", ["45 a.jpg", "90", "a.jpg 90"])
def test_lines_that_are_no_turns(tmp_path: Path, line: str) -> None:
    (tmp_path / "turns.txt").write_text(f"90 b.jpg\n{line}\n")
    with pytest.raises(ListError, match=r"turns\.txt:2: expected '90 name'"):
        read_turns(tmp_path / "turns.txt")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("turn", range(4))
def test_a_turn_comes_after_the_tag(tmp_path: Path, orientation: int, turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    upright = np.asarray(read_photo(tmp_path / "a.png").image)
    turned = read_photo(tmp_path / "a.png", turn=turn)
    np.testing.assert_array_equal(np.asarray(turned.image), np.rot90(upright, -turn))
    assert turned.stored_size == (3, 2)


def test_points_of_a_turned_photo_lie_in_the_stored_grid(tmp_path: Path) -> None:
    pixels = np.zeros((40, 60), np.uint8)
    pixels[10, 50] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    write_turns(tmp_path / "turns.txt", {"a.png": 1})
    conf = Preprocessing(turns=str(tmp_path / "turns.txt"))
    photo = PhotoLoader(tmp_path, ["a.png"], conf)("a.png")
    assert photo.size == (40, 60)
    v, u = np.unravel_index(photo.pixels[0].argmax(), photo.pixels[0].shape)
    np.testing.assert_allclose(photo.stored_px(np.array([[u, v]], float)), [[50, 10]])
