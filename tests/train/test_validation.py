from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from known_pairs import SIZE, hills, same_view

from dad_sfm.core.config import ConfigError
from dad_sfm.core.types import Features
from dad_sfm.evaluation.homography_set import HomographyPair
from dad_sfm.evaluation.repeatability import evaluate
from dad_sfm.io.store import FeatureWriter
from dad_sfm.train.data import held_out
from dad_sfm.train.data.homography_pairs import photo_files
from dad_sfm.train.data.view_sampling import view_grid
from dad_sfm.train.validation.repeatability import RepeatabilityValidation, ValidationConf, repeated

CPU = torch.device("cpu")
CONF = ValidationConf(area_px=512.0, batches=2)  # eight points in 64×64
POINTS = [(12, 12), (40, 14), (20, 44), (50, 50)]


class SameView:
    """A data plug whose two views are one."""

    def batch(self, step):
        return self

    def to(self, device):
        return same_view()


def seeing(a, b):
    """A network that finds the given points in the first and in the second view."""
    return lambda images: torch.cat([hills(a), hills(b)])


def shifted(points, dx):
    return [(x + dx, y) for x, y in points]


@pytest.mark.parametrize(
    ("dx", "one_px", "three_px"), [(0, 1.0, 1.0), (2, 0.0, 1.0), (10, 0.0, 0.0)]
)
def test_repeatability_of_a_known_network(dx, one_px, three_px):
    found = RepeatabilityValidation(SameView(), CONF)(seeing(POINTS, shifted(POINTS, dx)), CPU)
    assert found == {
        "repeatability_1px": one_px,
        "repeatability_3px": three_px,
        "repeatability": (one_px + three_px) / 2,
    }


def test_no_more_points_are_judged_than_asked_for():
    """The strongest two are missing in the other view; the rest would be found again."""
    strong = torch.maximum(hills(POINTS[:2], height=9.0), hills(POINTS[2:]))
    network = lambda images: torch.cat([strong, hills(POINTS[2:])])  # noqa: E731
    conf = replace(CONF, area_px=SIZE * SIZE / 2)
    found = RepeatabilityValidation(SameView(), conf)(network, CPU)
    assert found["repeatability_1px"] == pytest.approx(0)


def test_a_heap_counts_once():
    heap = torch.tensor([[30.0, 30], [32, 30], [30, 32], [10, 10]])
    batch = same_view()
    shares = repeated(heap, heap, batch.b_from_a[0], batch.valid_a[0], np.array([1.0]))
    assert shares == pytest.approx([2 / 4])


def test_the_measure_is_that_of_the_evaluation(tmp_path):
    """On views of 1024 px, where the two measure in the same pixels."""
    size, shift = 1024, 100
    rng = np.random.default_rng(0)
    a = rng.uniform(4, size - 4, (300, 2)).astype(np.float32)
    b = (a + [shift, 0] + rng.normal(0, 1.5, a.shape)).astype(np.float32)
    b = b[b[:, 0] < size - 4]
    with FeatureWriter(tmp_path / "f.h5", {}, overwrite=True) as writer:
        for name, points in (("a", a), ("b", b)):
            scores = np.linspace(1, 0.5, len(points), dtype=np.float32)
            writer.write(name, Features(points, scores, (size, size)))
    b_from_a = np.array([[1.0, 0, shift], [0, 1, 0], [0, 0, 1]])
    pair = HomographyPair("a", "b", b_from_a)
    (row,) = evaluate(tmp_path / "f.h5", [pair], budgets=[300], thresholds_px=[1.0, 3.0])

    grid = view_grid(size, device=CPU).float()
    step = torch.tensor([2 * shift / size, 0.0])
    ways = [
        repeated(torch.tensor(one), torch.tensor(other), warp, (warp.abs() < 1).all(-1), limits)
        for one, other, warp in ((a, b, grid + step), (b, a, grid - step))
        for limits in [np.array([1.0, 3.0])]
    ]
    # Next to the line where the views part the warp is not read: a point or two.
    assert np.mean(ways, axis=0) == pytest.approx(row.distinct, abs=0.02)
    assert 0.1 < row.distinct[0] < row.distinct[1] < 0.95


def test_every_twentieth_photo_is_held_out():
    photos = [Path(f"{number:03}.jpg") for number in range(45)]
    training, held = held_out.split(photos)
    assert held == [photos[0], photos[20], photos[40]]
    assert sorted(training + held) == photos
    assert len(held_out.split(photos[:2])[0]) == 1
    with pytest.raises(ConfigError, match="--validation"):
        held_out.split(photos[:1])


def test_photos_are_folders_or_files(photos):
    files = photo_files([photos])
    assert len(files) == 6
    assert photo_files(files[:2]) == files[:2]
    with pytest.raises(FileNotFoundError, match="no photos"):
        photo_files([])
