"""Analytic cases: what the measure must say about detectors whose points are known."""

import numpy as np
import pytest
from PIL import Image

from dad_sfm.core.types import Features
from dad_sfm.evaluation.homography_set import HomographyPair, HomographySetConf, make_set, read_set
from dad_sfm.evaluation.repeatability import coverage, distinct, evaluate, one_to_one, spacing
from dad_sfm.io.store import FeatureWriter

SIZE = (1024, 768)
SHIFT = np.array([[1.0, 0, 100], [0, 1, 0], [0, 0, 1]])  # B shows A moved 100 px to the right
PAIR = HomographyPair("a.png", "b.png", SHIFT)


def grid_points(step: int = 32) -> np.ndarray:
    x, y = np.meshgrid(np.arange(8, 1024, step), np.arange(8, 768, step))
    return np.stack([x.ravel(), y.ravel()], axis=-1).astype(np.float32)


def scores_of(points_a, points_b, tmp_path, budget=5000):
    path = tmp_path / "f.h5"
    with FeatureWriter(path, {}, overwrite=True) as writer:
        for name, points in (("a.png", points_a), ("b.png", points_b)):
            scores = np.linspace(1, 0.5, len(points)).astype(np.float32)
            writer.write(name, Features(points.astype(np.float32), scores, SIZE))
    (row,) = evaluate(path, [PAIR], budgets=[budget])
    return row


def test_a_perfect_detector_scores_one(tmp_path):
    a = grid_points()
    b = a + [100, 0]
    row = scores_of(a, b[b[:, 0] < 1023.5], tmp_path)
    assert row.distinct == pytest.approx((1, 1, 1))
    assert row.localisation_px == pytest.approx(0, abs=1e-4)
    assert row.spacing_px == pytest.approx(32)


def test_noise_shows_at_its_threshold(tmp_path):
    a = grid_points()
    b = a + [101.5, 0]
    row = scores_of(a, b[b[:, 0] < 1023], tmp_path)
    assert row.distinct[0] == 0
    assert row.distinct[1:] == pytest.approx((1, 1), abs=0.04)
    assert row.localisation_px == pytest.approx(1.5, abs=1e-3)


def test_a_clump_counts_once(tmp_path):
    a = grid_points()
    clumps = np.concatenate([a, a + [1, 0], a + [0, 1], a + [1, 1]])
    moved = clumps + [100, 0]
    row = scores_of(clumps, moved[moved[:, 0] < 1023.5], tmp_path)
    assert row.usual == pytest.approx((1, 1, 1), abs=1e-6)
    assert row.distinct == pytest.approx((0.25, 0.25, 0.25), abs=0.01)


def test_random_points_score_what_chance_gives(tmp_path):
    rng = np.random.default_rng(0)
    n = 2000
    a, b = (rng.uniform(0, 1, (n, 2)) * SIZE for _ in range(2))
    row = scores_of(a, b, tmp_path)
    chance = 1 - np.exp(-np.pi * 3**2 * n / (SIZE[0] * SIZE[1]))
    assert row.usual[2] == pytest.approx(chance, rel=0.2)
    assert row.distinct[2] < row.usual[2]


def test_the_budget_takes_the_best(tmp_path):
    a = grid_points()
    good, bad = a[: len(a) // 2], a[len(a) // 2 :]
    moved = np.concatenate([good + [100, 0], bad + [100, 9]])
    row = scores_of(a, moved, tmp_path, budget=len(good))
    assert row.distinct[0] > 0.99


def test_parts():
    points = np.array([[0.0, 0], [3, 0], [10, 0]])
    assert distinct(points, 4).tolist() == [True, False, True]
    assert one_to_one(points, np.array([[0.5, 0]])).tolist() == [0.5, np.inf, np.inf]
    assert spacing(points) == 3
    assert np.isnan(spacing(points[:1]))
    assert coverage(points, (64, 64), 32) == 0.25
    moved, inside = PAIR.mapping(SIZE, SIZE)(np.array([[900.0, 5], [950, 5]]))
    assert moved.tolist() == [[1000, 5], [1050, 5]]
    assert inside.tolist() == [True, False]


def test_the_set_is_warped_by_the_homography_it_states(tmp_path):
    """Dots of the photo stand in the second image where the homography carries them."""
    photo = np.full((300, 400), 40, np.uint8)
    dots = np.array([[120, 90], [200, 150], [260, 210], [150, 200], [280, 100]])
    y, x = np.mgrid[:300, :400]
    hills = [np.exp(-((x - u) ** 2 + (y - v) ** 2) / 18) for u, v in dots]
    photo = (photo + 200 * np.max(hills, axis=0)).astype(np.uint8)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    (tmp_path / "in").mkdir()
    (tmp_path / "photo.png").rename(tmp_path / "in" / "photo.png")
    conf = HomographySetConf(
        long_side=400, noise=0, blur_px=0, brightness=0, contrast=0, perspective=0.1, seed=3
    )
    set_dir = make_set([tmp_path / "in"], tmp_path / "set", conf)
    (pair,) = read_set(set_dir)
    image_b = np.asarray(Image.open(set_dir / "images" / pair.name_b).convert("L"), float) - 40
    expected, inside = pair.mapping((400, 300), (400, 300))(dots.astype(float))
    assert inside.sum() >= 3
    for u, v in expected[inside]:
        near = (np.abs(x - u) <= 7) & (np.abs(y - v) <= 7)
        mass = image_b * near
        centre = [(mass * x).sum() / mass.sum(), (mass * y).sum() / mass.sum()]
        assert centre == pytest.approx([u, v], abs=0.2)


def test_a_pair_is_the_same_whatever_the_limit(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for i in range(4):
        Image.effect_noise((64, 48), 60).convert("RGB").save(photos / f"{i}.png")
    every, some = (
        read_set(make_set([photos], tmp_path / str(n), HomographySetConf(long_side=64, limit=n)))
        for n in (4, 2)
    )
    assert [pair.name_a for pair in some] == ["0000/a.png", "0002/a.png"]
    assert (some[1].b_from_a == every[2].b_from_a).all()


def test_another_set_in_the_folder_is_refused(tmp_path):
    Image.new("RGB", (64, 48)).save(tmp_path / "p.png")
    make_set([tmp_path], tmp_path / "set", HomographySetConf(long_side=64))
    with pytest.raises(ValueError, match="other photos or settings"):
        make_set([tmp_path], tmp_path / "set", HomographySetConf(long_side=32))


def test_a_set_of_the_photos_that_were_there_before_is_refused(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.new("RGB", (64, 48)).save(photos / "p.png")
    conf = HomographySetConf(long_side=64)
    set_dir = make_set([photos], tmp_path / "set", conf)
    assert make_set([photos / ".." / "photos"], set_dir, conf) == set_dir
    Image.new("RGB", (64, 48)).save(photos / "q.png")
    with pytest.raises(ValueError, match="other photos or settings"):
        make_set([photos], set_dir, conf)
