"""A stream of images: order, batches, halving when memory runs out, errors of single images."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from dad_sfm.core.types import Features
from dad_sfm.execution.loading import Photo
from dad_sfm.execution.streaming import is_out_of_memory, stream_features
from dad_sfm.io.images import ImageError

SIZES = {"wide": (32, 16), "tall": (16, 32)}


def load(name: str) -> Photo:
    """``wide-3`` -> a photo of that shape whose pixels are 3."""
    shape, _, value = name.partition("-")
    if value == "broken":
        raise ImageError(f"{name}: cut off")
    W, H = SIZES[shape]
    return Photo(np.full((3, H, W), int(value), np.uint8), (W, H))


class Stub:
    """An extractor whose only keypoint is (value, value), and that has room for few images."""

    stride = 1

    def __init__(self, device: str, room: int = 100) -> None:
        self.device = torch.device(device)
        self.room, self.batches = room, []

    def __call__(self, photos: Sequence[Photo]) -> list[Features]:
        self.batches.append(len(photos))
        if len(photos) > self.room:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        assert len({photo.size for photo in photos}) == 1
        values = [int(photo.pixels[0, 0, 0]) for photo in photos]
        if 13 in values:
            raise ValueError("no thirteen")
        return [Features(np.full((1, 2), v, np.float32), np.ones(1), p.original_size)
                for v, p in zip(values, photos, strict=True)]  # fmt: skip


NAMES = [f"wide-{i}" for i in range(7)] + ["tall-7", "tall-8", "wide-broken", "wide-9"]


def values(results: list) -> list:
    return [
        (name, int(found.keypoints_px[0, 0]) if isinstance(found, Features) else str(found))
        for name, found in results
    ]


EXPECTED = [(n, "wide-broken: cut off" if "broken" in n else int(n[5:])) for n in NAMES]


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("workers", [0, 1, 3, None])
@pytest.mark.parametrize("batch_size", [None, 1, 3])
def test_all_come_in_order(device: str, workers: int | None, batch_size: int | None) -> None:
    stub = Stub(device)
    found = list(stream_features(load, stub, NAMES, batch_size=batch_size, workers=workers))
    assert values(found) == EXPECTED
    if batch_size == 3:
        assert stub.batches == [3, 3, 1, 2, 1]
    elif batch_size is None and device == "meta":
        assert stub.batches == [7, 2, 1]
    else:
        assert stub.batches == [1] * 10


def test_decoding_goes_on_while_an_accelerator_works() -> None:
    """The first batch is held back until photos of the next are decoded."""
    decoded: list[str] = []
    ahead = threading.Event()

    def loaded(name: str) -> Photo:
        decoded.append(name)
        if len(decoded) == 4:
            ahead.set()
        return load(name)

    class Waiting(Stub):
        def __call__(self, photos: Sequence[Photo]) -> list[Features]:
            assert ahead.wait(timeout=30)
            return super().__call__(photos)

    stub = Waiting("meta")
    names = [f"wide-{i}" for i in range(20, 28)]
    found = list(stream_features(loaded, stub, names, batch_size=2, workers=2))
    assert values(found) == [(name, int(name[5:])) for name in names]
    assert stub.batches == [2, 2, 2, 2]


def test_a_batch_that_does_not_fit_is_halved_and_so_are_the_next() -> None:
    stub = Stub("meta", room=3)
    names = [f"wide-{i}" for i in range(20, 60)]
    found = list(stream_features(load, stub, names, workers=0))
    assert values(found) == [(f"wide-{i}", i) for i in range(20, 60)]
    assert stub.batches[:7] == [8, 4, 2, 2, 4, 2, 2]
    assert set(stub.batches[7:]) == {2}


def test_an_image_that_fails_fails_alone() -> None:
    stub = Stub("meta")
    names = ["wide-1", "wide-13", "wide-2", "wide-3"]
    found = list(stream_features(load, stub, names, batch_size=4))
    assert values(found) == [
        ("wide-1", 1),
        ("wide-13", "no thirteen"),
        ("wide-2", 2),
        ("wide-3", 3),
    ]
    assert stub.batches == [4, 2, 1, 1, 2]


def test_what_is_no_fault_of_an_image_is_raised() -> None:
    def forget(name: str) -> Photo:
        raise KeyError(name)

    with pytest.raises(KeyError):
        list(stream_features(forget, Stub("cpu"), ["wide-1"]))


def test_memory_that_runs_out_is_known_by_its_message() -> None:
    assert is_out_of_memory(torch.cuda.OutOfMemoryError("CUDA out of memory."))
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory"))
    assert not is_out_of_memory(RuntimeError("shape mismatch"))
