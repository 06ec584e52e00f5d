from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from dad_sfm.io.images import ImageError
from dad_sfm.io.photo_identity import identify


def test_it_is_the_content_and_nothing_else(tmp_path: Path) -> None:
    """Same name, size and time of change, another middle: another photo.  A copy is the same."""
    first, second = tmp_path / "day1" / "a.bmp", tmp_path / "day2" / "a.bmp"
    content = bytes(3_000_000)
    for path, middle in ((first, b"1"), (second, b"2")):
        path.parent.mkdir()
        path.write_bytes(content + middle + content)
        os.utime(path, (1, 1))
    assert identify(first) != identify(second)
    second.write_bytes(first.read_bytes())
    assert identify(first) == identify(second)
    assert identify(first) == "sha256:" + hashlib.sha256(content + b"1" + content).hexdigest()


def test_a_file_that_cannot_be_read_is_an_image_error(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no such file"):
        identify(tmp_path / "none.jpg")
    with pytest.raises(ImageError, match="cannot be read"):
        identify(tmp_path)
