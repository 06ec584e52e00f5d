"""The most similar vectors: those of the whole matrix, in a part of its memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from dad_sfm.retrieval.top_k import top_k, top_k_among


def unit_vectors(n: int, dim: int = 16) -> np.ndarray:
    vectors = np.random.default_rng(0).normal(size=(n, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("gap", [0, 3])
@pytest.mark.parametrize(("rows", "columns"), [(7, 11), (1000, 1000)])
def test_like_the_whole_matrix(gap: int, rows: int, columns: int) -> None:
    vectors = unit_vectors(60)
    near = np.abs(np.subtract.outer(np.arange(60), np.arange(60))) <= gap
    similarity = np.where(near, -np.inf, vectors @ vectors.T)
    expected = np.argsort(-similarity, axis=1, kind="stable")[:, :5]
    found = dict(top_k(vectors, 5, gap=gap, rows=rows, columns=columns))
    np.testing.assert_array_equal([found[i] for i in range(60)], expected)


def test_vectors_of_zeros_are_similar_to_none() -> None:
    vectors = unit_vectors(4)
    vectors[2] = 0
    found = {i: sorted(similar) for i, similar in top_k(vectors, 10)}
    assert found == {0: [1, 3], 1: [0, 3], 3: [0, 1]}


def test_memory_is_that_of_a_block() -> None:
    vectors = unit_vectors(6000, 4)  # whose matrix would take 144 MB
    tracemalloc.start()
    try:
        for _ in top_k(vectors, 5, rows=128, columns=2048):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10e6


def test_queries_among_other_vectors() -> None:
    queries = np.eye(3, dtype=np.float32)
    queries[0] = 0
    references = np.array([[0, 0.1, 1], [0, 0.9, 0.2], [0, 1, 0.3]], np.float32)
    found = {i: list(similar) for i, similar in top_k_among(queries, references, 2)}
    assert found == {1: [2, 1], 2: [0, 2]}
