"""Two photos in memory: where the same points are in both is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from kornia.feature import DescriptorMatcher, LocalFeatureMatcher
from PIL import Image

import dad_sfm
from dad_sfm.execution.kornia_features import KorniaFeature
from dad_sfm.io.images import ImageError
from dad_sfm.matchers.compatibility import MatchingError
from dad_sfm.models.checkpoints import CheckpointError

SHIFT = (17, 9)
MODEL = {"name": "dad-nano", "max_keypoints": 150, "descriptor": {"name": "rootsift"}}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Two windows of one picture, the second 17 px further right and 9 further down."""
    folder = tmp_path_factory.mktemp("photos")
    noise = np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8)
    picture = Image.fromarray(noise).resize((320, 240), Image.Resampling.BICUBIC)
    x, y = SHIFT
    for name, (left, top) in {"a.png": (0, 0), "b.png": (x, y)}.items():
        picture.crop((left, top, left + 264, top + 208)).save(folder / name)
    return folder / "a.png", folder / "b.png"


def check(points0: np.ndarray, points1: np.ndarray) -> None:
    assert len(points0) > 60
    off = np.abs(points0 - points1 - SHIFT).max(axis=1)
    assert np.median(off) < 0.3
    assert (off < 2).mean() > 0.95


def test_points_of_two_photos(photos) -> None:
    found = dad_sfm.match_pair(*photos, max_keypoints=150, device="cpu")
    check(found.points0, found.points1)
    assert found.scores.shape == (len(found.points0),)
    assert (found.scores > 0).all()
    assert len(found.features0) == len(found.matches.matches0) <= 150


def test_many_pairs_read_each_photo_once(photos, monkeypatch) -> None:
    matcher = dad_sfm.PairMatcher(matcher="adalam", max_keypoints=150, device="cpu")
    reads = []
    extract = matcher._views._read
    monkeypatch.setattr(matcher._views, "_read", lambda path: reads.append(path) or extract(path))
    a, b = photos
    forth, back = matcher(a, b), matcher(b, a)
    check(forth.points0, forth.points1)
    assert forth.features1 is back.features0
    assert reads == [str(a), str(b)]


def test_mistakes_are_answered(photos, no_weights, tmp_path) -> None:
    with pytest.raises(MatchingError, match=r"dad-nano holds descriptors of rootsift.*NN-mutual"):
        dad_sfm.PairMatcher("dad-nano+rootsift", "aliked+lightglue", device="cpu")
    with pytest.raises(MatchingError, match=r"have no descriptors.* \(dad-nano\+rootsift\)"):
        dad_sfm.PairMatcher("dad-nano", "NN-mutual", device="cpu")
    with pytest.raises(CheckpointError, match="cannot download"):
        dad_sfm.PairMatcher("dad-nano", "loftr", device="cpu")
    with pytest.raises(ImageError, match=r"none\.jpg: no such file"):
        dad_sfm.match_pair(photos[0], tmp_path / "none.jpg", device="cpu")


def test_kornias_matcher_takes_our_points(photos) -> None:
    """Grey and colour, frames whose centres are pixel-index points, batches of unequal numbers."""
    images = [
        torch.from_numpy(np.array(Image.open(path))).permute(2, 0, 1)[None].float() / 255
        for path in photos
    ]
    feature = KorniaFeature(MODEL, magnification=6)
    match = LocalFeatureMatcher(feature, DescriptorMatcher("smnn", 0.9))
    found = match({"image0": images[0], "image1": images[1]})
    check(found["keypoints0"].numpy(), found["keypoints1"].numpy())
    lafs, responses, descriptors = feature(torch.cat([images[0], images[0] * 0]))
    n = lafs.shape[1]
    assert (lafs.shape, responses.shape, descriptors.shape) == ((2, n, 2, 3), (2, n), (2, n, 128))
    assert (lafs[0, :, 0, 0] == 6).all()
    assert (lafs[1] == 0).all()  # nothing to be found
    mask = torch.zeros(1, 1, 208, 264)
    mask[..., :132] = 1
    left, _, _ = feature(images[0].mean(dim=1, keepdim=True), mask)
    assert 0 < len(left[0]) < n or n == 150
    assert (left[0, :, 0, 2] < 132).all()


def test_kornia_needs_descriptors(photos) -> None:
    feature = KorniaFeature({"name": "dad-nano", "max_keypoints": 10})
    with pytest.raises(ValueError, match="name one under 'descriptor'"):
        feature(torch.rand(1, 3, 64, 64))
