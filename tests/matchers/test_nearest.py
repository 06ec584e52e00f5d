"""Nearest neighbours: like a slow twin, whatever the block, and in bounded memory."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from dad_sfm.core.config import ConfigError
from dad_sfm.core.types import Features, Matches
from dad_sfm.matchers import MATCHERS, nearest
from dad_sfm.matchers.base import View
from dad_sfm.matchers.nearest import NearestNeighbor, NearestNeighborConf


def unit(n: int, dim: int = 16, *, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((n, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def related(n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Descriptors of which most have a noisy counterpart on the other side."""
    a = unit(n)
    b = np.concatenate([a, unit(m, seed=1)])[:m] + 0.4 * unit(m, seed=2)
    return a, np.random.default_rng(3).permutation(b)


def twin(a: np.ndarray, b: np.ndarray, conf: NearestNeighborConf) -> list[int]:
    """The definition, point by point."""

    def nearest_of(point: np.ndarray, others: np.ndarray) -> int:
        distances = [float(np.linalg.norm(point - other)) for other in others]
        order = np.argsort(distances)
        best = distances[order[0]]
        second = distances[order[1]] if len(order) > 1 else np.inf
        if conf.ratio_threshold is not None and not best < conf.ratio_threshold * second:
            return -1
        if conf.distance_threshold is not None and best > conf.distance_threshold:
            return -1
        return int(order[0])

    a, b = (x.astype(np.float64) for x in (a, b))
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
    forth = [nearest_of(point, b) for point in a]
    if not conf.do_mutual_check:
        return forth
    return [j if j >= 0 and nearest_of(b[j], a) == i else -1 for i, j in enumerate(forth)]


@pytest.mark.parametrize("mutual", [True, False])
@pytest.mark.parametrize("ratio", [None, 0.8])
@pytest.mark.parametrize("distance", [None, 0.37])
@pytest.mark.parametrize("block", [1, 150, 1 << 20])
def test_like_the_slow_twin(
    monkeypatch: pytest.MonkeyPatch,
    mutual: bool,
    ratio: float | None,
    distance: float | None,
    block: int,
) -> None:
    monkeypatch.setattr(nearest, "BLOCK_ELEMENTS", block)
    conf = NearestNeighborConf(mutual, ratio, distance)
    a, b = related(60, 40)  # some have no counterpart
    found = NearestNeighbor(conf).match(a, b)
    expected = twin(a, b, conf)
    assert found.matches0.tolist() == expected
    kept = found.matches0 >= 0
    assert kept.any()
    if mutual or ratio or distance:
        assert not kept.all()
    similarity = (a[kept] * (b / np.linalg.norm(b, axis=1)[:, None])[found.matches0[kept]]).sum(1)
    np.testing.assert_allclose(found.scores0[kept], (1 + similarity) / 2, atol=1e-5)
    assert not found.scores0[~kept].any()


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 5), (5, 0), (1, 1), (1, 5), (5, 1)])
@pytest.mark.parametrize("ratio", [None, 0.9])
def test_few_or_no_points(n: int, m: int, ratio: float | None) -> None:
    conf = NearestNeighborConf(ratio_threshold=ratio)
    a, b = unit(n), unit(m, seed=1)
    found = NearestNeighbor(conf).match(a, b)
    assert found.matches0.shape == found.scores0.shape == (n,)
    assert found.matches0.tolist() == (twin(a, b, conf) if n and m else [-1] * n)


def test_descriptors_that_mean_nothing_match_nothing_and_harm_nothing() -> None:
    a, b = related(30, 30)
    expected = NearestNeighbor(NearestNeighborConf()).match(a, b).matches0
    bad = np.array([np.full(16, np.nan), np.zeros(16), np.full(16, np.inf)], np.float32)
    found = NearestNeighbor(NearestNeighborConf()).match(
        np.concatenate([bad, a]), np.concatenate([b[:10], bad, b[10:]])
    )
    assert found.matches0[:3].tolist() == [-1, -1, -1]
    shifted = np.where(expected >= 10, expected + 3, expected)
    assert found.matches0[3:].tolist() == shifted.tolist()
    assert np.isfinite(found.scores0).all()


def test_equal_descriptors_are_ambiguous_to_the_ratio_and_one_to_one_without() -> None:
    a = unit(5)
    b = np.concatenate([a, a[:1]])
    ratio = NearestNeighbor(NearestNeighborConf(ratio_threshold=0.9)).match(a, b)
    assert ratio.matches0.tolist() == [-1, 1, 2, 3, 4]
    plain = NearestNeighbor(NearestNeighborConf()).match(b, a)
    assert (plain.matches0 == 0).sum() == 1
    assert plain.matches0[1:5].tolist() == [1, 2, 3, 4]


def test_descriptors_of_any_length_and_precision() -> None:
    a, b = related(30, 30)
    matcher = NearestNeighbor(NearestNeighborConf(ratio_threshold=0.9))
    expected = matcher.match(a, b).matches0.tolist()
    for scale_a, scale_b in ((512, 1e-3), (1e30, 1e-30)):
        scaled = matcher.match(a * np.float32(scale_a), b * np.float32(scale_b))
        assert scaled.matches0.tolist() == expected
    half = matcher.match(a.astype(np.float16), b.astype(np.float16)).matches0
    assert (half == expected).mean() > 0.9
    # Files hold the transpose: not contiguous as N×D.
    assert matcher.match(np.asfortranarray(a), np.asfortranarray(b)).matches0.tolist() == expected


def test_views_with_and_without_descriptors() -> None:
    def view(name: str, descriptors: np.ndarray | None) -> View:
        return View(name, Features(np.zeros((3, 2)), np.zeros(3), (4, 4), descriptors))

    matcher = MATCHERS.make({"name": "nearest_neighbor"})
    descriptors = unit(3)
    found: Matches = matcher(view("a", descriptors), view("b", descriptors[::-1].copy()))
    assert found.matches0.tolist() == [2, 1, 0]
    with pytest.raises(ValueError, match=r"b.jpg: the features hold no descriptors"):
        matcher(view("a.jpg", descriptors), view("b.jpg", None))


def test_mistakes_in_the_configuration_are_named() -> None:
    with pytest.raises(ConfigError, match=r"unknown key 'ratio'; known: .*ratio_threshold"):
        MATCHERS.make({"name": "nearest_neighbor", "ratio": 0.8})
    with pytest.raises(ValueError, match=r"ratio_threshold is 0.0"):
        MATCHERS.make({"name": "nearest_neighbor", "ratio_threshold": 0.0})


MEMORY = """
import resource, sys
import numpy as np
from dad_sfm.matchers.nearest import NearestNeighbor, NearestNeighborConf

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

matcher = NearestNeighbor(NearestNeighborConf(ratio_threshold=0.95))
rng = np.random.default_rng(0)
a = rng.standard_normal((10_000, 256), dtype=np.float32)
matcher.match(a[:100], a[:100])
before = peak()
found = matcher.match(a, a[::-1])
assert (found.matches0 == np.arange(10_000)[::-1]).all()
print((peak() - before) // (1024 if sys.platform == "linux" else 1024**2))
"""


@pytest.mark.slow
def test_ten_thousand_points_a_side_stay_far_below_a_full_matrix() -> None:
    """All similarities would take 381 MiB, and as much again with an index or a copy."""
    run = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    assert int(run.stdout) < 200
