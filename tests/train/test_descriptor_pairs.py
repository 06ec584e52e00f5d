"""Described photos, pairs of places, and the batches that are made of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dad_sfm.core.config import ConfigError
from dad_sfm.train.data import described_photos
from dad_sfm.train.data.described_photos import TeacherConf, describe_photos
from dad_sfm.train.data.descriptor_pairs import DescriptorPairs, DescriptorPairsConf
from dad_sfm.train.data.place_pairs import PlaceConf, trusted_matches

TEACHER = TeacherConf(
    name="rootsift", keypoints=60, coarse_keypoints=20, anywhere=10, resize_max=200
)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two photos of smooth noise."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for name in ("a.png", "b.png"):
        noise = Image.fromarray(rng.integers(0, 255, (36, 48, 3), dtype=np.uint8))
        noise.resize((192, 144), Image.Resampling.BICUBIC).save(folder / name)
    return folder


@pytest.fixture(scope="module")
def described(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("described")
    describe_photos(sorted(photos.iterdir()), folder, TEACHER)
    return folder


def conf(described: Path, **options: object) -> DescriptorPairsConf:
    return DescriptorPairsConf(
        size=96, batch=2, points=30, least=5, described=str(described), teacher=TEACHER, **options
    )


def test_a_photo_is_described_once(
    photos: Path, described: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("described again")

    monkeypatch.setattr(described_photos, "_Teacher", refuse)
    files = describe_photos(sorted(photos.iterdir()), described, TEACHER)
    assert len(files) == 2
    with np.load(files[0]) as photo:
        n = len(photo["points"])
        assert photo["rgb"].shape == (144, 192, 3)
        assert photo["teacher"].shape == (n, 128)
        assert photo["fixed"] == n - TEACHER.anywhere
        np.testing.assert_allclose(np.linalg.norm(photo["teacher"], axis=1), 1, atol=1e-2)


def test_a_folder_described_otherwise_is_refused(photos: Path, described: Path) -> None:
    (extra := photos.parent / "extra").mkdir(exist_ok=True)
    Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(extra / "c.png")
    with pytest.raises(ConfigError, match="keypoints"):
        describe_photos([extra / "c.png"], described, replace(TEACHER, keypoints=61))


def test_rows_of_a_batch_are_the_same_places(photos: Path, described: Path) -> None:
    """Without noise, the homographies of a pair carry the points of one view to the other's."""
    data = DescriptorPairs([photos], conf(described, noise_px=0.0), seed=1)
    source = data.batch(0)
    batch = source.to(torch.device("cpu"))
    assert batch.images.shape == (4, 3, 96, 96)
    assert batch.valid.any(dim=1).all()
    for i, pair in enumerate(source.pairs):
        keep = batch.valid[i]
        first, second = (batch.points[j][keep].double().numpy() for j in (i, 2 + i))
        a, b = pair.photo_from_view
        ones = np.ones((len(first), 1))
        carried = np.concatenate([first, ones], axis=1) @ (np.linalg.inv(b) @ a).T
        np.testing.assert_allclose(carried[:, :2] / carried[:, 2:], second, atol=1e-2)
        assert (second > 6).all()
        assert (second < 89).all()


def test_a_batch_depends_on_seed_and_step_alone(photos: Path, described: Path) -> None:
    first, again, other = (
        DescriptorPairs([photos], conf(described), seed=seed).batch(7).to(torch.device("cpu"))
        for seed in (3, 3, 4)
    )
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.points, again.points)
    assert first.points.shape != other.points.shape or not torch.equal(first.points, other.points)


def test_pairs_of_places_are_trusted_matches_and_both_photos_teach(
    photos: Path, described: Path
) -> None:
    """Both photos are one, so that every keypoint is its own trusted match."""
    place = photos.parent / "place"
    place.mkdir(exist_ok=True)
    for name in ("a.png", "again.png"):
        (place / name).write_bytes((photos / "a.png").read_bytes())
    options = conf(
        described,
        places=(str(place),),
        place_share=1.0,
        place=PlaceConf(inliers=10, share=0.0),
    )
    data = DescriptorPairs([photos], options, seed=0)
    assert len(data.places) == 1
    batch = data.batch(0).to(torch.device("cpu"))
    assert batch.valid.sum(dim=1).min() >= 5
    # Both photos say the same: their sum is twice as long.
    lengths = batch.teacher[batch.valid].norm(dim=-1)
    torch.testing.assert_close(lengths, torch.full_like(lengths, 2.0), atol=0.02, rtol=0)


def test_matches_without_a_common_geometry_are_not_trusted() -> None:
    rng = np.random.default_rng(0)
    teacher = np.eye(128, dtype=np.float32)
    a = {"points": rng.uniform(0, 500, (128, 2)), "teacher": teacher}
    wild = {"points": rng.uniform(0, 500, (128, 2)), "teacher": teacher}
    shifted = {"points": a["points"] + [20.0, 5.0], "teacher": teacher}
    options = PlaceConf(inliers=60)
    assert trusted_matches(a, wild, options) is None
    rows = trusted_matches(a, shifted, options)
    assert rows is not None
    assert len(rows) > 120
    assert (rows[:, 0] == rows[:, 1]).all()
