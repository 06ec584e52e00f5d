"""Files are there whole or not at all, and for whom the umask says."""

import os

import pytest
import torch
from safetensors.torch import save_file

from dad_sfm.core.atomic import atomic_write


@pytest.fixture
def umask_027():
    before = os.umask(0o027)
    yield
    os.umask(before)


WRITERS = {
    "safetensors": lambda path: save_file({"a": torch.zeros(1)}, path),
    "torch": lambda path: torch.save({}, path),
    "text": lambda path: path.write_text("text"),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_the_umask_says_who_may_read(writer, tmp_path, umask_027):
    target = tmp_path / "new" / "file"
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "file.partial").touch(0o600)  # left by a killed run
    with atomic_write(target) as path:
        WRITERS[writer](path)
    assert target.stat().st_mode & 0o777 == 0o640
    assert list(target.parent.iterdir()) == [target]


def test_a_block_that_fails_leaves_what_was_there(tmp_path):
    target = tmp_path / "file"
    target.write_text("before")

    def fails():
        with atomic_write(target) as path:
            path.write_text("half of wh")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fails()
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]
