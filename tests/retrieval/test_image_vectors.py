"""One vector per image: VLAD by hand, and images that share their descriptors are alike."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from dad_sfm.core.types import Features
from dad_sfm.io.store import FeatureWriter, StoreError
from dad_sfm.retrieval.image_vectors import VladConf, _basis, stored_vectors, vlad_vectors
from dad_sfm.retrieval.top_k import top_k
from dad_sfm.retrieval.vlad import train_codebook, vlad


def test_vlad_by_hand() -> None:
    centres = np.array([[0.0, 0.0], [10.0, 0.0]], np.float32)
    descriptors = np.array([[1.0, 0.0], [2.0, 0.0], [10.0, 5.0]], np.float32)
    # Residuals (1, 0) + (2, 0) and (0, 5), each word to unit length, then all of it.
    expected = np.array([1, 0, 0, 1]) / np.sqrt(2)
    np.testing.assert_allclose(vlad(descriptors, centres), expected, atol=1e-6)
    assert not vlad(descriptors[:0], centres).any()


def test_the_codebook_finds_the_clusters() -> None:
    rng = np.random.default_rng(0)
    clusters = np.array([[0, 0], [8, 0], [0, 8]], np.float32)
    points = np.concatenate([c + rng.normal(0, 0.1, (50, 2)) for c in clusters]).astype(np.float32)
    for seed in range(3):
        centres = train_codebook(points, 3, seed=seed)
        distances = np.linalg.norm(centres[:, None] - clusters, axis=2).min(axis=1)
        assert (distances < 6).all()  # k-means may join two clusters, it makes none up
    assert len(train_codebook(points[:1].repeat(9, axis=0), 3)) == 1


def write_places(path: Path, places: int = 4, views: int = 3) -> list[str]:
    """Images of places: views of one share two thirds of their descriptors, disturbed."""
    rng, names = np.random.default_rng(0), []
    with FeatureWriter(path, {}) as writer:
        for place in range(places):
            common = rng.normal(size=(60, 32))
            for view in range(views):
                own = rng.normal(size=(30, 32))
                found = np.concatenate([common + rng.normal(0, 0.3, common.shape), own])
                found /= np.linalg.norm(found, axis=1, keepdims=True)
                names.append(f"{place}/{view}.jpg")
                n = len(found)
                features = Features(np.zeros((n, 2)), np.ones(n), (4, 4), found.astype(np.float32))
                writer.write(names[-1], features)
    return names


def test_views_of_a_place_are_the_most_similar(tmp_path: Path) -> None:
    names = write_places(tmp_path / "f.h5")
    vectors = vlad_vectors(tmp_path / "f.h5", names, VladConf(words=8))
    for i, similar in top_k(vectors, 2):
        assert {names[j][0] for j in similar} == {names[i][0]}


def test_a_basis_of_all_images_keeps_their_similarities() -> None:
    sample = np.random.default_rng(0).normal(size=(10, 40)).astype(np.float32)
    reduced = sample @ _basis(sample, 10)
    np.testing.assert_allclose(reduced @ reduced.T, sample @ sample.T, atol=1e-4)


def test_images_without_keypoints_have_no_direction(tmp_path: Path) -> None:
    names = write_places(tmp_path / "f.h5", places=2)
    with FeatureWriter(tmp_path / "f.h5", {}) as writer:
        writer.write("blank.jpg", Features(np.zeros((0, 2)), np.zeros(0), (4, 4)))
    vectors = vlad_vectors(tmp_path / "f.h5", ["blank.jpg", *names], VladConf(words=4))
    assert not vectors[0].any()
    assert vectors[1:].any(axis=1).all()


def test_features_without_descriptors_are_refused_with_the_remedy(tmp_path: Path) -> None:
    with FeatureWriter(tmp_path / "f.h5", {}) as writer:
        writer.write("a.jpg", Features(np.zeros((1, 2)), np.ones(1), (4, 4)))
    with pytest.raises(StoreError, match=r"'a.jpg' has no descriptors to retrieve by"):
        vlad_vectors(tmp_path / "f.h5", ["a.jpg"], VladConf())


def test_global_descriptors_of_another_tool(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "g.h5", "w") as file:
        file["day 1/a.jpg/global_descriptor"] = np.array([3.0, 4.0], np.float16)
        file["b.jpg/global_descriptor"] = np.array([0.0, 2.0], np.float32)
    vectors = stored_vectors(tmp_path / "g.h5", ["day 1/a.jpg", "b.jpg"])
    np.testing.assert_allclose(vectors, [[0.6, 0.8], [0, 1]], atol=1e-6)
    with pytest.raises(StoreError, match=r"c\.jpg/global_descriptor"):
        stored_vectors(tmp_path / "g.h5", ["b.jpg", "c.jpg"])
