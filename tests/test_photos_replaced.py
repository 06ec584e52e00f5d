"""Features and matches belong to photos, not to names: replaced, deleted, or of another folder."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from dot_pictures import DOTS, SIZE, described, dots, save
from fakes import BrightDots

from dad_sfm import extract_features, match_features, pairs
from dad_sfm.core.types import Features
from dad_sfm.io.store import FeatureReader, FeatureWriter, MatchReader, StoreError

pytestmark = pytest.mark.usefixtures("dot_plugins")
NN = match_features.confs["NN-mutual"]


def extract(root: Path, out: Path, **options: object) -> Path:
    return extract_features.main(
        described(radius=20), root, feature_path=out / "features.h5", device="cpu", **options
    )


def counts(path: Path) -> dict[str, int]:
    with FeatureReader(path) as reader:
        return {name: len(reader.read(name)) for name in reader.names()}


def match(out: Path, **options: object) -> Path:
    path = pairs.main(out / "pairs.txt", features=out / "features.h5")
    return match_features.main(
        NN, path, out / "features.h5", matches=out / "m.h5", device="cpu", **options
    )


def number_of_matches(path: Path, *names: str) -> int:
    with MatchReader(path) as reader:
        return len(reader.read(*names).indices)


# ------------------------------------------------------------------------------ replaced photos
def test_a_replaced_photo_is_extracted_anew_and_its_pairs_are_matched_anew(tmp_path: Path) -> None:
    """Same name, size and time; the pair of the two other photos is not touched."""
    root = tmp_path / "images"
    for name in ("a.bmp", "b.bmp", "c.bmp"):
        os.utime(save(root / name), (1, 1))
    features = extract(root, tmp_path)
    matches = match(tmp_path)
    assert number_of_matches(matches, "a.bmp", "b.bmp") == len(DOTS)

    os.utime(save(root / "b.bmp", dots(SIZE, DOTS[:1])), (1, 1))
    assert extract(root, tmp_path) == features
    assert BrightDots.seen == 4
    assert counts(features) == {"a.bmp": 3, "b.bmp": 1, "c.bmp": 3}
    match(tmp_path)
    assert number_of_matches(matches, "a.bmp", "b.bmp") == 1
    assert number_of_matches(matches, "b.bmp", "c.bmp") == 1
    assert number_of_matches(matches, "a.bmp", "c.bmp") == 3


def test_only_pairs_of_the_replaced_photo_are_matched_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "images"
    for name in ("a.png", "b.png", "c.png"):
        save(root / name)
    extract(root, tmp_path)
    match(tmp_path)
    save(root / "b.png", dots(SIZE, DOTS[:2]))
    extract(root, tmp_path)
    with caplog.at_level(logging.INFO):
        match(tmp_path)
        assert "3 pairs, 2 to match" in caplog.text
        caplog.clear()
        match(tmp_path)
        assert "3 pairs, 0 to match" in caplog.text


def test_a_copied_or_touched_photo_is_the_same_photo(tmp_path: Path) -> None:
    root = tmp_path / "images"
    os.utime(save(root / "a.png"), (1, 1))
    save(root / "b.png")
    extract(root, tmp_path)
    os.utime(root / "a.png", (9, 9))
    extract(root, tmp_path)
    assert BrightDots.seen == 2


def test_a_photo_that_broke_does_not_keep_its_old_features(tmp_path: Path) -> None:
    root = tmp_path / "images"
    save(root / "a.png")
    save(root / "b.png")
    path = extract(root, tmp_path)
    (root / "b.png").write_bytes(b"no image")
    extract(root, tmp_path)
    assert counts(path) == {"a.png": 3}
    with FeatureReader(path) as reader:
        assert list(reader.failures) == ["b.png"]


def test_a_deleted_photo_is_warned_of_and_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "images"
    save(root / "a.png")
    photo = save(root / "b.png")
    path = extract(root, tmp_path)
    photo.unlink()
    with caplog.at_level(logging.WARNING):
        extract(root, tmp_path)
    assert "1 photos are gone" in caplog.text
    assert "b.png" in caplog.text
    assert counts(path) == {"a.png": 3, "b.png": 3}


# ----------------------------------------------------------------------------- another folder
def test_photos_of_another_folder_do_not_pass_for_these(tmp_path: Path) -> None:
    save(tmp_path / "day1" / "a.png")
    save(tmp_path / "day2" / "a.png", dots(SIZE, DOTS[:1]))
    path = extract(tmp_path / "day1", tmp_path)
    before = counts(path)
    for image_list in (None, ["a.png"]):
        with pytest.raises(StoreError, match=r"photos of .*day1, .* not those of .*day2 \(a.png\)"):
            extract(tmp_path / "day2", tmp_path, image_list=image_list)
    assert counts(path) == before
    extract(tmp_path / "day2", tmp_path, overwrite=True)
    assert counts(path) == {"a.png": 1}
    extract(tmp_path / "day2", tmp_path)  # which is its folder now
    assert BrightDots.seen == 2


def test_another_folder_with_other_names_is_refused_as_a_whole(tmp_path: Path) -> None:
    save(tmp_path / "day1" / "a.png")
    save(tmp_path / "day2" / "b.png")
    extract(tmp_path / "day1", tmp_path)
    with pytest.raises(StoreError, match=r"not those of .*day2 \(a.png\)"):
        extract(tmp_path / "day2", tmp_path)


def test_a_folder_that_was_moved_is_the_same_folder(tmp_path: Path) -> None:
    save(tmp_path / "day1" / "a.png")
    path = extract(tmp_path / "day1", tmp_path)
    shutil.move(tmp_path / "day1", tmp_path / "moved")
    save(tmp_path / "moved" / "b.png")
    extract(tmp_path / "moved", tmp_path)
    assert BrightDots.seen == 2
    with FeatureReader(path) as reader:
        assert reader.image_dir == str((tmp_path / "moved").resolve())


# -------------------------------------------------------------------------------- overwriting
def test_overwriting_listed_images_keeps_the_others(tmp_path: Path) -> None:
    """hloc's demo: the mapping images first, a query into the same file with overwrite."""
    root = tmp_path / "images"
    for name in ("mapping/a.png", "mapping/b.png", "query/night.png"):
        save(root / name)
    extract(root, tmp_path, image_list=["mapping/a.png", "mapping/b.png"], overwrite=True)
    path = extract(root, tmp_path, image_list=["query/night.png"], overwrite=True)
    assert list(counts(path)) == ["mapping/a.png", "mapping/b.png", "query/night.png"]
    assert BrightDots.seen == 3
    extract(root, tmp_path, image_list=["query/night.png"], overwrite=True)
    assert BrightDots.seen == 4


def test_overwriting_a_part_by_another_configuration_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "images"
    save(root / "a.png")
    save(root / "b.png")
    path = extract(root, tmp_path)
    before = counts(path)
    other = described(radius=19)
    with pytest.raises(StoreError, match=r"1 other images made by another configuration \(b.png\)"):
        extract_features.main(
            other, root, feature_path=path, image_list=["a.png"], overwrite=True, device="cpu"
        )
    assert counts(path) == before
    extract_features.main(other, root, feature_path=path, overwrite=True, device="cpu")
    assert list(counts(path)) == ["a.png", "b.png"]


def test_overwriting_pairs_keeps_the_other_pairs(tmp_path: Path) -> None:
    root = tmp_path / "images"
    for name in ("a.png", "b.png", "c.png"):
        save(root / name)
    features = extract(root, tmp_path)
    matches = match(tmp_path)
    some = tmp_path / "some.txt"
    some.write_text("a.png b.png\n")
    match_features.main(NN, some, features, matches=matches, overwrite=True, device="cpu")
    for names in (("a.png", "b.png"), ("a.png", "c.png"), ("b.png", "c.png")):
        assert number_of_matches(matches, *names) == 3
    before = matches.read_bytes()
    with pytest.raises(StoreError, match="2 other pairs made by another configuration"):
        match_features.main(
            match_features.confs["NN-ratio"],
            some,
            features,
            matches=matches,
            overwrite=True,
            device="cpu",
        )
    assert matches.read_bytes() == before


# ---------------------------------------------------------------------------- two feature files
def test_two_feature_files_with_equal_names(tmp_path: Path) -> None:
    """All four pairs are distinct: image 0 is of the one file, image 1 of the other."""
    angles = np.linspace(0, 3, 4)
    vectors = np.stack([np.cos(angles), np.sin(angles)], -1).astype(np.float32)
    points = np.zeros((4, 2), np.float32)
    rows = {
        ("one", "a"): [0, 1, 2, 3],
        ("one", "b"): [3, 2],
        ("two", "a"): [1, 0],
        ("two", "b"): [2],
    }
    for file in ("one", "two"):
        with FeatureWriter(tmp_path / f"{file}.h5", {}) as writer:
            for name in "ab":
                chosen = rows[file, name]
                made = Features(points[chosen], np.ones(len(chosen), np.float32), (9, 9),
                                descriptors=vectors[chosen])  # fmt: skip
                writer.write(name, made, as_half=False)
    wanted = [("a", "a"), ("a", "b"), ("b", "a"), ("b", "b")]
    path = tmp_path / "pairs.txt"
    path.write_text("".join(f"{a} {b}\n" for a, b in wanted))
    options = {"matches": tmp_path / "m.h5", "features_ref": tmp_path / "two.h5", "device": "cpu"}
    match_features.main(NN, path, tmp_path / "one.h5", **options)
    with MatchReader(tmp_path / "m.h5") as reader:
        found = {pair: reader.read(*pair).matches0.tolist() for pair in wanted}
        assert len(reader.keys()) == 4
    assert found == {
        ("a", "a"): [1, 0, -1, -1],
        ("a", "b"): [-1, -1, 0, -1],
        ("b", "a"): [-1, 0],  # mutual nearest: 2 and 1
        ("b", "b"): [-1, 0],
    }


def test_a_reversed_pair_of_two_files_is_not_read_for_it(tmp_path: Path) -> None:
    vectors = np.eye(2, dtype=np.float32)
    for file in ("one", "two"):
        with FeatureWriter(tmp_path / f"{file}.h5", {}) as writer:
            for name in "ab":
                points, scores = np.zeros((2, 2), np.float32), np.ones(2, np.float32)
                writer.write(name, Features(points, scores, (9, 9), descriptors=vectors))
    path = tmp_path / "pairs.txt"
    path.write_text("a b\n")
    options = {"matches": tmp_path / "m.h5", "features_ref": tmp_path / "two.h5", "device": "cpu"}
    match_features.main(NN, path, tmp_path / "one.h5", **options)
    with MatchReader(tmp_path / "m.h5") as reader:
        assert reader.has("a", "b")
        assert not reader.has("b", "a")


def test_features_of_another_tool_that_changed_are_matched_anew(tmp_path: Path) -> None:
    import h5py

    def write(count: int) -> None:
        with h5py.File(tmp_path / "foreign.h5", "w") as file:
            for name in "ab":
                group = file.create_group(name)
                group["keypoints"] = np.zeros((count, 2), np.float32)
                group["descriptors"] = np.eye(4, dtype=np.float32)[:, :count]
                group["image_size"] = [9, 9]

    path = tmp_path / "pairs.txt"
    path.write_text("a b\n")
    for count in (2, 4, 4):
        write(count)
        match_features.main(
            NN, path, tmp_path / "foreign.h5", matches=tmp_path / "m.h5", device="cpu"
        )
        assert number_of_matches(tmp_path / "m.h5", "a", "b") == count
