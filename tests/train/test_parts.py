"""Files cut into parts come back as they were, or the part at fault is named."""

import json
import random

import pytest

from dad_sfm.train.recipe.parts import MANIFEST, PartsError, join, read_manifest, split


@pytest.fixture
def files(tmp_path):
    """A large file, a small one, an empty one, and one of exactly two parts."""
    content = {"state.pt": 10_001, "log.jsonl": 10, "nothing": 0, "two": 2000}
    paths = [tmp_path / "run" / name for name in content]
    paths[0].parent.mkdir()
    for path in paths:
        path.write_bytes(random.Random(path.name).randbytes(content[path.name]))
    return paths


def part_of(folder, start):
    return next(path for path in folder.iterdir() if path.name.startswith(start))


def test_joined_is_what_was_split(files, tmp_path):
    manifest = split(files, tmp_path / "parts", max_bytes=1000, step=7)
    sizes = [p.stat().st_size for p in (tmp_path / "parts").iterdir() if p.name != MANIFEST]
    assert max(sizes) == 1000
    assert len(sizes) == len(manifest.parts) == 11 + 1 + 0 + 2
    assert read_manifest(tmp_path / "parts") == manifest
    assert manifest.step == 7
    joined = join(tmp_path / "parts", tmp_path / "elsewhere")
    assert [p.name for p in joined] == [p.name for p in files]
    assert [p.read_bytes() for p in joined] == [p.read_bytes() for p in files]


def test_the_next_checkpoint_takes_the_place_of_the_last(files, tmp_path):
    folder = tmp_path / "parts"
    split(files, folder, max_bytes=1000)
    files[0].write_bytes(b"a new state")
    split(files[:1], folder, max_bytes=1000, step=1)
    assert sorted(p.name.split(".")[0] for p in folder.iterdir()) == ["manifest", "state"]
    assert join(folder, tmp_path / "elsewhere")[0].read_bytes() == b"a new state"


def test_a_kill_while_splitting_leaves_the_checkpoint_before(files, tmp_path):
    folder = tmp_path / "parts"
    before = files[0].read_bytes()
    split(files[:1], folder, max_bytes=1000)
    files[0].write_bytes(before[::-1])
    with pytest.raises(FileNotFoundError):
        split([files[0], tmp_path / "missing"], folder, max_bytes=1000)
    assert join(folder, tmp_path / "elsewhere")[0].read_bytes() == before


def test_a_missing_part_is_named_and_nothing_is_written(files, tmp_path):
    split(files, tmp_path / "parts", max_bytes=1000)
    part = part_of(tmp_path / "parts", "state.pt.003")
    part.unlink()
    with pytest.raises(PartsError, match=rf"{part.name}: this part of state\.pt is missing"):
        join(tmp_path / "parts", tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()


def test_a_changed_part_is_named(files, tmp_path):
    split(files, tmp_path / "parts", max_bytes=1000)
    part = part_of(tmp_path / "parts", "two.001")
    content = part.read_bytes()
    part.write_bytes(content[:-1])
    with pytest.raises(PartsError, match=f"{part.name}: 999 bytes"):
        join(tmp_path / "parts", tmp_path / "elsewhere")
    part.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(PartsError, match=f"{part.name}: .* was changed"):
        join(tmp_path / "parts", tmp_path / "elsewhere")


def test_a_manifest_that_is_missing_damaged_or_leads_outside_is_refused(files, tmp_path):
    with pytest.raises(PartsError, match=r"manifest\.json is missing"):
        read_manifest(tmp_path)
    split(files, tmp_path / "parts", max_bytes=1000)
    path = tmp_path / "parts" / MANIFEST
    manifest = json.loads(path.read_text())

    path.write_text(json.dumps({**manifest, "parts": manifest["parts"][:-1]}))
    with pytest.raises(PartsError, match="do not make up two"):
        join(tmp_path / "parts", tmp_path / "elsewhere")
    path.write_text(json.dumps({**manifest, "sha256": {"../outside": ""}}))
    with pytest.raises(PartsError, match="not the name of a file"):
        join(tmp_path / "parts", tmp_path / "elsewhere")
    path.write_text(path.read_text()[:-9])
    with pytest.raises(PartsError, match="not a manifest"):
        join(tmp_path / "parts", tmp_path / "elsewhere")
