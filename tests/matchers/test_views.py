"""Views by name: each image once, within a bound."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from dad_sfm.core.types import Features
from dad_sfm.io.images import ImageError
from dad_sfm.matchers.views import Views, nbytes


def some_features(name: str) -> Features:
    return Features(np.zeros((50, 2), np.float32), np.ones(50, np.float32), (60, 40))


class Counted:
    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, name: str) -> Features:
        self.names.append(name)
        return some_features(name)


def test_what_was_used_last_is_kept_within_the_bound() -> None:
    read, one = Counted(), nbytes(some_features("a"))
    views = Views(read, capacity=3 * one)
    for name in "abcadab":
        assert len(views(name).features) == 50
    assert read.names == list("abcdb")  # b was the one to go when d came


def test_the_pair_that_is_matched_is_kept_whatever_the_bound() -> None:
    read = Counted()
    views = Views(read, capacity=1)
    assert views("a") is not None
    views("b")
    assert [views(name).name for name in "ab"] == ["a", "b"]
    assert read.names == ["a", "b"]


def test_what_a_matcher_computes_counts() -> None:
    read = Counted()
    views = Views(read, capacity=4 * nbytes(some_features("a")))
    for name in "abc":
        view = views(name)
        view.once("map", lambda: {"coarse": torch.zeros(100), "fine": [np.zeros(50)]})
    views("d")
    views("a")
    assert read.names == list("abcda")


def test_a_value_is_computed_once_and_a_photo_decoded_once(tmp_path) -> None:
    Image.new("L", (60, 40), 7).save(tmp_path / "a.png")
    view = Views(some_features, tmp_path)("a.png")
    calls: list[int] = []
    assert view.once("x", lambda: calls.append(1) or 5) == 5
    assert view.once("x", lambda: calls.append(1) or 6) == 5
    assert calls == [1]
    assert view.photo is view.photo
    assert view.photo.size == (60, 40)
    assert nbytes(view.computed) == 60 * 40 * 3


def test_photos_that_are_not_there_are_named(tmp_path) -> None:
    with pytest.raises(ImageError, match=r"b\.png: no such file"):
        Views(some_features, tmp_path)("b.png").photo  # noqa: B018
    with pytest.raises(ValueError, match=r"b\.png: .* give image_dir"):
        Views(some_features)("b.png").photo  # noqa: B018
