"""Views by name: each image once, within a bound."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

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


def test_a_photo_on_its_side_is_seen_upright_with_its_keypoints(tmp_path) -> None:
    """A white pixel stored at (50, 8); tag 6 turns the photo a quarter clockwise, to (31, 50)."""
    pixels = np.zeros((40, 60), np.uint8)
    pixels[8, 50] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    found = Features(np.array([[50.0, 8]], np.float32), np.ones(1, np.float32), (60, 40))
    view = Views(lambda name: found, tmp_path)("a.png")
    assert view.photo.size == view.upright_features.image_size == (40, 60)
    assert view.upright_features.keypoints_px.tolist() == [[31, 50]]
    assert view.photo.getpixel((31, 50)) == (255, 255, 255)
    assert view.features.keypoints_px.tolist() == [[50, 8]]


def test_several_threads_compute_a_value_once() -> None:
    view = Views(some_features)("a.png")
    calls: list[int] = []

    def compute() -> int:
        calls.append(1)
        time.sleep(0.05)
        return 7

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: view.once("x", compute), range(8))) == [7] * 8
    assert calls == [1]
