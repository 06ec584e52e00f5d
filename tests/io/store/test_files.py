"""HDF5 files: what is written is read, and foreign files too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from dad_sfm.core.types import Features, Matches
from dad_sfm.io.store import (
    FeatureReader,
    FeatureWriter,
    MatchReader,
    MatchWriter,
    StoreError,
    check_pair_keys,
    pair_key,
)

MADE = {"detector": {"name": "test", "größe": 3}}


def features(n: int, *, dim: int | None = 8, seed: int = 0) -> Features:
    rng = np.random.default_rng(seed)
    return Features(
        (rng.random((n, 2)) * 6000).astype(np.float32),
        np.sort(rng.random(n))[::-1].astype(np.float32),
        (6000, 4000),
        descriptors=None if dim is None else rng.standard_normal((n, dim)).astype(np.float32),
        uncertainty_px=1.5,
    )


def matches(values: list[int]) -> Matches:
    matches0 = np.array(values, np.int32)
    return Matches(matches0, np.where(matches0 >= 0, 0.75, 0).astype(np.float32))


# ------------------------------------------------------------------------------ features
@pytest.mark.parametrize("name", ["a.jpg", "sub folder/b.jpg", "ünï/日本.jpg", "#1.png"])
@pytest.mark.parametrize("n", [0, 1, 100])
def test_features_round_trip(tmp_path: Path, name: str, n: int) -> None:
    given = features(n)
    with FeatureWriter(tmp_path / "f.h5", MADE) as writer:
        assert name not in writer
        writer.write(name, given)
        assert name in writer
    with FeatureReader(tmp_path / "f.h5") as reader:
        assert reader.names() == [name]
        assert reader.provenance == MADE
        found = reader.read(name)
        assert reader.descriptor_dim(name) == (8 if n else None)
        assert reader.read(name, descriptors=False).descriptors is None
    # Keypoints and scores never lose a bit; descriptors are stored in half precision.
    np.testing.assert_array_equal(found.keypoints_px, given.keypoints_px)
    np.testing.assert_array_equal(found.scores, given.scores)
    np.testing.assert_array_equal(found.descriptors, given.descriptors.astype(np.float16))
    assert (found.image_size, found.uncertainty_px) == ((6000, 4000), 1.5)


def test_files_have_the_schema_of_hloc(tmp_path: Path) -> None:
    with FeatureWriter(tmp_path / "f.h5", MADE) as writer:
        writer.write("sub/a.jpg", features(5))
        writer.write("b.jpg", features(5, dim=None))
    with h5py.File(tmp_path / "f.h5") as file:
        group = file["sub"]["a.jpg"]
        assert group["keypoints"].dtype == np.float32
        assert group["keypoints"].attrs["uncertainty"] == 1.5
        assert group["descriptors"].shape == (8, 5)
        assert group["image_size"][()].tolist() == [6000, 4000]
        assert "descriptors" not in file["b.jpg"]


def test_a_file_of_hloc_is_read(tmp_path: Path) -> None:
    """As hloc's ALIKED and DISK leave it: half precision, another name of the scores, D×N."""
    given = features(7)
    with h5py.File(tmp_path / "f.h5", "w", libver="latest") as file:
        group = file.create_group("db/a.jpg")
        group["keypoints"] = given.keypoints_px.astype(np.float16)
        group["keypoint_scores"] = given.scores.astype(np.float16)
        group["descriptors"] = given.descriptors.T.astype(np.float16)
        group["image_size"] = np.array([6000, 4000])
    with FeatureReader(tmp_path / "f.h5") as reader:
        found = reader.read("db/a.jpg")
        assert (reader.names(), reader.provenance) == (["db/a.jpg"], {})
    assert found.keypoints_px.dtype == found.scores.dtype == np.float32
    np.testing.assert_allclose(found.keypoints_px, given.keypoints_px, atol=2)
    np.testing.assert_allclose(found.scores, given.scores, atol=1e-3)
    assert found.descriptors.shape == (7, 8)
    assert found.uncertainty_px == 1.0
    with pytest.raises(StoreError, match="was not written by dad_sfm"):
        FeatureWriter(tmp_path / "f.h5", MADE)


def test_descriptors_that_do_not_fit_the_keypoints_are_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "f.h5", "w") as file:
        group = file.create_group("a.jpg")
        group["keypoints"] = np.zeros((7, 2))
        group["descriptors"] = np.zeros((7, 8))  # not transposed
    with (
        FeatureReader(tmp_path / "f.h5") as reader,
        pytest.raises(StoreError, match=r"'a.jpg' has 7 keypoints, but .*expected D×7"),
    ):
        reader.descriptor_dim("a.jpg")


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no such file: .*none.h5"):
        FeatureReader(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("no HDF5")
    with pytest.raises(StoreError, match=r"text.h5: cannot be opened .*damaged or not HDF5"):
        FeatureReader(tmp_path / "text.h5")
    with FeatureWriter(tmp_path / "f.h5", MADE) as writer:
        writer.write("sub/a.jpg", features(1))
    with FeatureReader(tmp_path / "f.h5") as reader:
        for name in ("b.jpg", "sub"):
            with pytest.raises(StoreError, match=f"no features of image '{name}'"):
                reader.read(name)


def test_another_configuration_is_refused_and_overwriting_is_not(tmp_path: Path) -> None:
    path = tmp_path / "f.h5"
    with FeatureWriter(path, MADE) as writer:
        writer.write("a.jpg", features(3))
    with FeatureWriter(path, MADE) as writer:
        assert "a.jpg" in writer
    with pytest.raises(StoreError, match="made by another configuration"):
        FeatureWriter(path, {"detector": {"name": "other"}})
    with FeatureReader(path) as reader:  # and it is whole
        assert reader.names() == ["a.jpg"]
    with FeatureWriter(path, {"detector": {"name": "other"}}, overwrite=True) as writer:
        assert "a.jpg" not in writer


def test_failures_are_recorded_however_many(tmp_path: Path) -> None:
    failures = {f"folder/{k}.jpg": "cannot be decoded (Größe)" for k in range(5000)}
    with FeatureWriter(tmp_path / "f.h5", MADE) as writer:
        writer.write_failures(failures)
    with FeatureReader(tmp_path / "f.h5") as reader:
        assert reader.failures == failures


def test_sizes_orientations_and_covariances_are_kept(tmp_path: Path) -> None:
    plain = features(3)
    rich = replace(
        plain,
        scales=np.array([4, 2, 1], np.float32),
        oris=np.array([0, 90, -30], np.float32),
        covariances=np.tile(np.eye(2, dtype=np.float32), (3, 1, 1)),
    )
    with FeatureWriter(tmp_path / "f.h5", MADE) as writer:
        writer.write("plain.jpg", plain)
        writer.write("rich.jpg", rich)
    with FeatureReader(tmp_path / "f.h5") as reader:
        assert reader.read("plain.jpg").scales is None
        found = reader.read("rich.jpg")
    for name in ("scales", "oris", "covariances"):
        np.testing.assert_array_equal(getattr(found, name), getattr(rich, name))
    with pytest.raises(ValueError, match="oris has shape"):
        replace(plain, oris=np.zeros(2))


# -------------------------------------------------------------------------------- matches
def test_matches_round_trip_in_both_orders(tmp_path: Path) -> None:
    with MatchWriter(tmp_path / "m.h5", MADE) as writer:
        writer.write("q/a.jpg", "b c.jpg", matches([2, -1, 0]))
        writer.write("q/a.jpg", "d.jpg", matches([]))
        assert writer.has("q/a.jpg", "b c.jpg")
        assert not writer.has("b c.jpg", "q/a.jpg")
    with MatchReader(tmp_path / "m.h5") as reader:
        found = reader.read("q/a.jpg", "b c.jpg")
        turned = reader.read("b c.jpg", "q/a.jpg")
        assert len(reader.read("q/a.jpg", "d.jpg").matches0) == 0
        assert reader.has("d.jpg", "q/a.jpg")
        assert not reader.has("d.jpg", "b c.jpg")
        with pytest.raises(StoreError, match=r"no matches of the pair d.jpg b c.jpg"):
            reader.read("d.jpg", "b c.jpg")
    assert found.matches0.tolist() == [2, -1, 0]
    assert found.scores0.tolist() == [0.75, 0, 0.75]
    assert turned.matches0.tolist() == [2, -1, 0]
    with h5py.File(tmp_path / "m.h5") as file:
        assert file["q-a.jpg/b c.jpg/matches0"].dtype == np.int32


def test_indices_beyond_half_a_short_survive(tmp_path: Path) -> None:
    n = 40_000  # hloc's int16 wraps at 32 768
    with MatchWriter(tmp_path / "m.h5", MADE) as writer:
        writer.write("a", "b", matches(list(range(n))[::-1]))
    with MatchReader(tmp_path / "m.h5") as reader:
        found = reader.read("a", "b").matches0
    np.testing.assert_array_equal(found, np.arange(n)[::-1])


def test_a_match_file_of_hloc_is_read(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w", libver="latest") as file:
        group = file.create_group(pair_key("q/a.jpg", "b.jpg"))
        group["matches0"] = np.array([1, -1], np.int16)
    with MatchReader(tmp_path / "m.h5") as reader:
        assert reader.read("q/a.jpg", "b.jpg").indices.tolist() == [[0, 1]]
        assert reader.read("b.jpg", "q/a.jpg").indices.tolist() == [[1, 0]]


def test_names_that_hloc_writes_alike_do_not_overwrite_each_other(tmp_path: Path) -> None:
    with MatchWriter(tmp_path / "m.h5", MADE) as writer:
        writer.write("a/b.jpg", "c.jpg", matches([0]))
        with pytest.raises(StoreError, match=r"'a-b.jpg', 'c.jpg', 'a/b.jpg' apart.*rename"):
            writer.write("a-b.jpg", "c.jpg", matches([1]))
    with MatchReader(tmp_path / "m.h5") as reader:
        assert reader.read("a/b.jpg", "c.jpg").matches0.tolist() == [0]
        with pytest.raises(StoreError, match="apart"):
            reader.read("a-b.jpg", "c.jpg")


@pytest.mark.parametrize(
    "pairs",
    [
        [("a/b", "c"), ("a-b", "c")],
        [("a/b", "c"), ("c", "a-b")],  # a reader looks in both orders
        [("a/b", "a-b")],
        [("a/b", "c-d"), ("a-b", "c/d")],
    ],
)
def test_collisions_are_found_before_anything_is_written(pairs: list) -> None:
    with pytest.raises(StoreError, match="rename"):
        check_pair_keys(pairs)


def test_names_that_only_look_alike_are_fine() -> None:
    check_pair_keys([("a/b", "c"), ("c", "a/b"), ("a-b", "d"), ("a/b", "e")])
