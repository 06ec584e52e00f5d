"""Files that mean harm, or were made by something else: refused in words, in bounded memory."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dad_sfm.io.store import FeatureReader, FeatureWriter, MatchReader, StoreError, read_arrays

FEATURES = {
    "keypoints": np.zeros((3, 2), np.float32),
    "scores": np.ones(3, np.float32),
    "descriptors": np.ones((8, 3), np.float16),
    "image_size": np.array([10, 20]),
}


def write(path: Path, **changed: Any) -> Path:
    """A feature file of one image; what is None is left out, what is callable is called."""
    with h5py.File(path, "w") as file:
        group = file.create_group("a.jpg")
        for name, value in {**FEATURES, **changed}.items():
            if callable(value):
                value(group, name)
            elif value is not None:
                group[name] = value
    return path


def refused(path: Path, match: str) -> None:
    with FeatureReader(path) as reader, pytest.raises(StoreError, match=match):
        reader.read("a.jpg")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"keypoints": np.zeros(3)}, "keypoints of shape"),
        ({"keypoints": np.zeros((3, 3))}, "expected N×2"),
        ({"keypoints": np.float32(1)}, "keypoints of shape"),
        ({"scores": np.zeros(4)}, "expected 3 numbers"),
        ({"scores": lambda group, name: group.create_group(name)}, None),
        ({"descriptors": np.ones((3, 8))}, "expected D×3"),
        ({"image_size": np.array([1])}, "not width, height"),
        ({"image_size": np.array([0, -5])}, "not width, height"),
        ({"image_size": np.array([np.nan, 5])}, "not width, height"),
        ({"image_size": None}, "no image_size"),
        ({"scales": np.ones(2)}, "scales of 'a.jpg' have shape"),
        ({"keypoints": np.array([b"text"])}, "not an array of numbers"),
        ({"keypoints": np.zeros(3, np.dtype([("x", "f4"), ("y", "f4")]))}, "not an array of num"),
        ({"keypoints": h5py.Empty("f4")}, "not an array of numbers|no features"),
    ],
)
def test_arrays_that_do_not_fit_are_named(tmp_path: Path, changed: Any, message: str) -> None:
    path = write(tmp_path / "f.h5", **changed)
    if message is None:  # no such data set, then
        with FeatureReader(path) as reader:
            np.testing.assert_array_equal(reader.read("a.jpg").scores, np.ones(3))
    else:
        refused(path, message)


def external_link(group: h5py.Group, name: str) -> None:
    group[name] = h5py.ExternalLink("other.h5", "secret")


def soft_link(group: h5py.Group, name: str) -> None:
    group.file["secret"] = FEATURES["keypoints"]
    group[name] = h5py.SoftLink("/secret")


def virtual(group: h5py.Group, name: str) -> None:
    layout = h5py.VirtualLayout((3, 2), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "secret", (3, 2))
    group.create_virtual_dataset(name, layout)


def external_storage(group: h5py.Group, name: str) -> None:
    group.create_dataset(name, (3, 2), "f4", external=[("other.bin", 0, 24)])


@pytest.mark.parametrize("make", [external_link, soft_link, virtual, external_storage])
def test_nothing_outside_the_file_is_read(tmp_path: Path, make: Callable[..., None]) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["secret"] = FEATURES["keypoints"]
    (tmp_path / "other.bin").write_bytes(bytes(24))
    path = write(tmp_path / "f.h5", keypoints=make)
    refused(path, r"lies in another file|no features of image")


def absurd(group: h5py.Group, name: str) -> None:
    group.create_dataset(name, (1 << 40, 2), "f4", chunks=(1024, 2), compression="gzip")


def absurd_contiguous(group: h5py.Group, name: str) -> None:
    group.create_dataset(name, (1 << 40, 2), "f4")


@pytest.mark.parametrize("make", [absurd, absurd_contiguous])
def test_memory_is_bounded_by_what_the_file_holds(
    tmp_path: Path, make: Callable[..., None]
) -> None:
    refused(write(tmp_path / "f.h5", keypoints=make), r"claims 8796093022208 bytes, of which")


def test_what_compresses_well_is_read(tmp_path: Path) -> None:
    def zeros(group: h5py.Group, name: str) -> None:
        group.create_dataset(name, data=np.zeros((100_000, 2)), compression="gzip")

    path = write(tmp_path / "f.h5", keypoints=zeros, scores=None, descriptors=None)
    with FeatureReader(path) as reader:
        assert len(reader.read("a.jpg")) == 100_000


def test_groups_in_circles_end(tmp_path: Path) -> None:
    path = write(tmp_path / "f.h5")
    with h5py.File(path, "r+") as file:
        loop = file.create_group("loop")
        loop["again"] = loop
        loop["root"] = file["/"]
        for depth in range(20):  # 2^20 ways to the bottom
            group = file.create_group(f"wide/{depth}")
            group["left"] = group["right"] = file.require_group(f"wide/{depth + 1}x")
    with FeatureReader(path) as reader:
        assert reader.names() == ["a.jpg"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("failures", "no JSON"), ("failures", "[1]"), ("failures", 5), ("provenance", "[]")],
)
def test_attributes_of_another_kind_are_refused(tmp_path: Path, name: str, value: Any) -> None:
    path = write(tmp_path / "f.h5")
    with h5py.File(path, "r+") as file:
        file.attrs[name] = value
    with (
        FeatureReader(path) as reader,
        pytest.raises(StoreError, match="not what dad_sfm writes"),
    ):
        _ = reader.failures, reader.provenance


@pytest.mark.parametrize("value", [np.nan, -1.0, 0.0, "text", [1.0, 2.0]])
def test_an_uncertainty_is_a_positive_number(tmp_path: Path, value: Any) -> None:
    path = write(tmp_path / "f.h5")
    with h5py.File(path, "r+") as file:
        file["a.jpg/keypoints"].attrs["uncertainty"] = value
    refused(path, "uncertainty")


@pytest.mark.parametrize(
    ("matches0", "names", "message"),
    [
        (np.zeros(3), None, "not a list of integers"),
        (np.zeros((2, 2), int), None, "not a list of integers"),
        (np.array([1 << 30]), None, "out of range"),  # turning it would take gigabytes
        (np.array([-2]), None, "out of range"),
        (np.array([1 << 63], np.uint64), None, "out of range"),
        (np.array([0]), 5, "does not say which two images"),
        (np.array([0]), ["a"], "does not say which two images"),
        (np.array([0]), [1, 2], "does not say which two images"),
    ],
)
def test_matches_that_make_no_sense(
    tmp_path: Path, matches0: Any, names: Any, message: str
) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["a/b/matches0"] = matches0
        if names is not None:
            file["a/b/matches0"].attrs["names"] = names
    with MatchReader(tmp_path / "m.h5") as reader:
        for pair in (("a", "b"), ("b", "a")):
            with pytest.raises(StoreError, match=message):
                reader.read(*pair)


def test_arrays_of_collections_are_read_with_the_same_care(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "c.h5", "w") as file:
        file["K"] = np.eye(3)
        file["deep/R"] = np.eye(3)
        file.create_dataset("depth", (1 << 40,), "f4")
    found = read_arrays(tmp_path / "c.h5", ["K", "deep/R"])
    np.testing.assert_array_equal(found["deep/R"], np.eye(3))
    with pytest.raises(StoreError, match="claims"):
        read_arrays(tmp_path / "c.h5", ["depth"])
    with pytest.raises(StoreError, match="lacks none"):
        read_arrays(tmp_path / "c.h5", ["none"])


@pytest.mark.parametrize("name", ["", "/a.jpg", "a//b.jpg", "./a.jpg", "a\0.jpg", "a\udc80.jpg"])
def test_names_that_no_group_can_have_are_refused(tmp_path: Path, name: str) -> None:
    from dad_sfm.core.types import Features

    features = Features(FEATURES["keypoints"], FEATURES["scores"], (10, 20))
    with FeatureWriter(tmp_path / "f.h5", {}) as writer, pytest.raises(StoreError, match="rename"):
        writer.write(name, features)


@pytest.mark.parametrize("name", ["a\nb.jpg", "..", "../../a.jpg", "x" * 5000, "é", "e\u0301"])
def test_strange_names_stay_inside_the_file(tmp_path: Path, name: str) -> None:
    from dad_sfm.core.types import Features

    features = Features(FEATURES["keypoints"], FEATURES["scores"], (10, 20))
    with FeatureWriter(tmp_path / "f.h5", {}) as writer:
        writer.write(name, features)
    with FeatureReader(tmp_path / "f.h5") as reader:
        assert reader.names() == [name]
        assert len(reader.read(name)) == 3
    assert [p.name for p in tmp_path.iterdir()] == ["f.h5"]


# ------------------------------------------------------------------------ anything at all
_NUMBERS = ["f2", "f4", "f8", "i1", "i4", "i8", "u2", "u8", "b1", "S3", "c8"]
_SHAPES = st.one_of(
    st.tuples(), st.tuples(st.integers(0, 5)), st.lists(st.integers(0, 4), max_size=4).map(tuple)
)
_ARRAYS = st.builds(lambda kind, shape: np.zeros(shape, kind), st.sampled_from(_NUMBERS), _SHAPES)
_ATTRS = st.one_of(
    st.none(), st.integers(-5, 5), st.floats(), st.text("ab{}[]", max_size=4), st.binary(max_size=3)
)
_SETTINGS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@_SETTINGS
@given(
    arrays=st.dictionaries(
        st.sampled_from([*FEATURES, "scales", "oris", "covariances", "keypoint_scores"]), _ARRAYS
    ),
    attrs=st.dictionaries(st.sampled_from(["uncertainty", "source"]), _ATTRS),
    root=st.dictionaries(st.sampled_from(["provenance", "failures", "image_dir"]), _ATTRS),
)
def test_any_feature_file_is_read_or_refused(
    tmp_path: Path, arrays: dict, attrs: dict, root: dict
) -> None:
    path = tmp_path / "any.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("a.jpg")
        for name, array in arrays.items():
            group[name] = array
        for holder, values in ((group.get("keypoints"), attrs), (file, root)):
            for name, value in values.items() if holder is not None else ():
                if isinstance(value, bytes) and 0 in value:
                    value = np.void(value)  # h5py writes zeros in no text of variable length
                if value is not None:
                    holder.attrs[name] = value
    with contextlib.suppress(StoreError), FeatureReader(path) as reader:
        for name in reader.names():
            found = reader.read(name)
            assert found.keypoints_px.dtype == np.float32
            reader.descriptor_dim(name)
            reader.source(name)
        _ = reader.failures, reader.provenance, reader.image_dir


@_SETTINGS
@given(arrays=st.dictionaries(st.sampled_from(["matches0", "matching_scores0"]), _ARRAYS))
def test_any_match_file_is_read_or_refused(tmp_path: Path, arrays: dict) -> None:
    path = tmp_path / "any.h5"
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[f"a/b/{name}"] = array
    with MatchReader(path) as reader:
        for pair in (("a", "b"), ("b", "a")):
            with contextlib.suppress(StoreError):
                assert reader.read(*pair).matches0.dtype == np.int32
