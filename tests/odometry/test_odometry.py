from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dad_sfm import cli
from dad_sfm.geometry.cameras import Camera
from dad_sfm.geometry.pixel_frames import colmap_from_px
from dad_sfm.odometry.drawing import ground_plane, path_pictures
from dad_sfm.odometry.klt import KLTConf, track
from dad_sfm.odometry.matching import Links, renewed
from dad_sfm.odometry.motion import errors_of, path_of
from dad_sfm.odometry.run import track_statistics
from dad_sfm.odometry.sequence import (
    SequenceError,
    open_sequence,
    read_folder,
    read_kitti,
    read_poses,
    write_poses,
)
from dad_sfm.synthetic.courtyard import courtyard_drive

CAMERA = Camera("PINHOLE", 640, 400, (400.0, 400.0, 320.0, 200.0))


def drive(count: int = 8) -> np.ndarray:
    """N×4×4 world_from_cam along an arc."""
    poses = [c.cam_from_world for c in courtyard_drive((640, 400), count)]
    return np.stack([np.linalg.inv(np.vstack([p, [0.0, 0, 0, 1]])) for p in poses])


def seen_by(poses: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Exact matches of points in front of neighbouring cameras."""
    rng = np.random.default_rng(0)
    matches = []
    for a, b in pairwise(poses):
        local = np.column_stack([rng.uniform(-3, 3, (80, 2)), rng.uniform(4, 12, 80)])
        world = local @ a[:3, :3].T + a[:3, 3]
        both = []
        for pose in (a, b):
            x = (world - pose[:3, 3]) @ pose[:3, :3]
            both.append(x[:, :2] / x[:, 2:] * 400 + [320, 200])
        matches.append((both[0], both[1]))
    return matches


def test_exact_matches_give_the_exact_path() -> None:
    truth = drive()
    poses, failed = path_of(seen_by(truth), CAMERA, truth=truth)
    assert failed == []
    np.testing.assert_allclose(poses, truth, atol=1e-4)
    errors = errors_of(poses, truth)
    assert errors.drift_percent < 0.01
    assert errors.length == pytest.approx(
        np.linalg.norm(np.diff(truth[:, :3, 3], axis=0), axis=1).sum()
    )


def test_without_a_truth_the_path_is_up_to_scale_and_starts_at_the_origin() -> None:
    truth = drive(4)
    poses, _ = path_of(seen_by(truth), CAMERA)
    np.testing.assert_allclose(poses[0], np.eye(4))
    steps = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1)
    np.testing.assert_allclose(steps, 1, atol=1e-9)


def test_where_nothing_matches_the_motion_before_goes_on() -> None:
    truth = drive(4)
    matches = seen_by(truth)
    matches[1] = (np.zeros((0, 2)), np.zeros((0, 2)))
    poses, failed = path_of(matches, CAMERA, truth=truth)
    assert failed == [1]
    np.testing.assert_allclose(
        np.linalg.inv(poses[1]) @ poses[2], np.linalg.inv(poses[0]) @ poses[1], atol=1e-9
    )


def test_a_camera_that_stands_does_not_move() -> None:
    truth = np.tile(np.eye(4), (3, 1, 1))
    matches = [(np.random.rand(50, 2), np.random.rand(50, 2))] * 2
    poses, failed = path_of(matches, CAMERA, truth=truth, min_motion=0.1)
    np.testing.assert_allclose(poses, truth)
    assert failed == []


def test_errors_by_hand() -> None:
    truth = np.tile(np.eye(4), (4, 1, 1))
    truth[:, 0, 3], truth[3, 1, 3] = [0, 1, 2, 2], 1  # 2 m ahead, 1 m to the side
    poses = truth.copy()
    poses[3, 0, 3] += 0.3
    errors = errors_of(poses, truth)
    assert errors.length == pytest.approx(3)
    assert errors.drift_percent == pytest.approx(10)
    assert errors.rpe_translation == pytest.approx(0.3 / np.sqrt(3))
    assert errors.rpe_rotation_deg == 0
    # The shape is right whatever its scale and place.
    twice = truth.copy()
    twice[:, :3, 3] = 2 * truth[:, :3, 3] + 5
    assert errors_of(twice, truth).ate_rmse == pytest.approx(0, abs=1e-9)


def texture(shift: tuple[float, float]) -> torch.Tensor:
    """A smooth pattern, moved by (x, y)."""
    y, x = torch.meshgrid(torch.arange(90.0), torch.arange(120.0), indexing="ij")
    x, y = x - shift[0], y - shift[1]
    rng = np.random.default_rng(0)
    # Waves of 15 to 50 pixels: none looks like itself a few pixels on.
    waves = [(angle, 2 * np.pi / rng.uniform(15, 50)) for angle in rng.uniform(0, np.pi, 16)]
    return 0.5 + 0.06 * sum(
        torch.sin(f * (np.cos(angle) * x + np.sin(angle) * y) + 40 * angle) for angle, f in waves
    )


def test_klt_finds_a_shift_to_a_hundredth_of_a_pixel() -> None:
    points = torch.tensor([[40.0, 40.0], [70.5, 50.25], [60.0, 30.0]])
    moved, found = track(texture((0, 0)), texture((3.7, -5.2)), points, KLTConf())
    assert found.all()
    torch.testing.assert_close(moved - points, torch.tensor([[3.7, -5.2]] * 3), atol=0.02, rtol=0)


def test_klt_loses_what_leaves_and_what_has_no_texture() -> None:
    a = texture((0, 0))
    flat = torch.full_like(a, 0.5)
    points = torch.tensor([[117.0, 45.0], [60.0, 45.0]])
    _, found = track(a, texture((8.0, 0.0)), points, KLTConf())
    assert found.tolist() == [False, True]
    assert not track(flat, flat, points, KLTConf())[1].any()


def test_lost_points_are_replaced_by_the_best_that_are_not_too_near() -> None:
    kept = np.array([[10.0, 10.0]])
    detected = np.array([[12.0, 10.0], [30.0, 30.0], [50.0, 50.0], [70.0, 70.0]])
    found = renewed(kept, detected, 3, 5.0)
    assert found.tolist() == [[10, 10], [30, 30], [50, 50]]
    assert renewed(np.zeros((0, 2)), detected, 2, 5.0).tolist() == detected[:2].tolist()


def test_links_become_matches_in_the_colmap_frame_and_statistics() -> None:
    points = [np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0]]), np.array([[7.0, 8.0]])]
    links = Links(points, [np.array([-1, 0]), np.array([0])])
    a, b = links.matches()[0]
    np.testing.assert_allclose(a, colmap_from_px(np.array([[3.0, 4.0]])))
    np.testing.assert_allclose(b, colmap_from_px(np.array([[5.0, 6.0]])))
    statistics = track_statistics(links)
    assert statistics["mean_length"] == pytest.approx((1 + 3 + 2) / 3)
    assert statistics["alive_1"] == pytest.approx(2 / 3)
    assert statistics["alive_2"] == pytest.approx(1 / 2)
    assert "alive_4" not in statistics


def test_the_ground_plane_holds_the_path() -> None:
    path = np.array([[0.0, 5, 0], [4, 5, 0], [4, 5, 3]])
    mean, axes = ground_plane(path)
    np.testing.assert_allclose(axes[:, 1], 0, atol=1e-12)
    flat = (path - mean) @ axes.T
    np.testing.assert_allclose(np.linalg.norm(flat[2] - flat[0]), 5)


def write_frames(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    for number in range(count):
        pixels = 255 * texture((2.0 * number, 0.0)).numpy()
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number:06d}.png")


def kitti(root: Path, count: int = 3) -> Path:
    write_frames(root / "sequences/07/image_0", count)
    calibration = "P0: 700 0 60 0 0 710 45 0 0 0 1 0\nP1: 1 0 1 9 0 1 1 0 0 0 1 0\n"
    (root / "sequences/07/calib.txt").write_text(calibration)
    (root / "poses").mkdir()
    write_poses(root / "poses/07.txt", drive(count))
    return root


def test_the_video_of_a_path_grows_with_it() -> None:
    poses = np.tile(np.eye(4), (3, 1, 1))
    poses[:, 0, 3] = [0, 1, 2]  # to the right; its plane is that of x and another axis
    truth = poses.copy()
    truth[2, 1, 3] = 1.0
    pictures = [np.asarray(picture).astype(int) for picture in path_pictures(poses, truth)]
    assert len(pictures) == 3
    red = [(picture[..., 0] - picture[..., 1] > 100).sum() for picture in pictures]
    assert 0 < red[0] < red[1] < red[2]
    grey = [(np.ptp(picture, axis=-1) == 0) & (picture[..., 0] == 170) for picture in pictures]
    assert grey[0].sum() > 100  # the truth is there from the beginning
    (alone,) = path_pictures(poses[:1], None)
    assert (np.asarray(alone) != 255).any()


def test_kitti_is_read_in_its_layout(tmp_path: Path) -> None:
    sequence = read_kitti(kitti(tmp_path), "07")
    assert list(sequence.names) == ["000000.png", "000001.png", "000002.png"]
    assert sequence.camera == Camera("PINHOLE", 120, 90, (700.0, 710.0, 60.5, 45.5))
    np.testing.assert_allclose(sequence.truth, drive(3), atol=1e-7)
    assert len(sequence.first(2).names) == len(sequence.first(2).truth) == 2


def test_what_is_wrong_with_a_sequence_is_said(tmp_path: Path) -> None:
    root = kitti(tmp_path / "kitti")
    with pytest.raises(SequenceError, match="neither image_0 nor image_2"):
        read_kitti(root, "08")
    (root / "sequences/07/calib.txt").write_text("P1: 1\n")
    with pytest.raises(SequenceError, match="no row P0: of 12 numbers"):
        read_kitti(root, "07")
    write_frames(tmp_path / "walk", 2)
    with pytest.raises(SequenceError, match="--intrinsics"):
        read_folder(tmp_path / "walk")
    (tmp_path / "bad.txt").write_text("1 2 3\n")
    with pytest.raises(SequenceError, match="rows of 3 numbers"):
        read_poses(tmp_path / "bad.txt")


def test_odometry_of_a_folder_by_klt(tmp_path: Path) -> None:
    pytest.importorskip("av")
    pytest.importorskip("matplotlib")
    write_frames(tmp_path / "walk", 3)
    line = ["odometry", str(tmp_path / "walk"), "--out", str(tmp_path / "out")]
    line += [
        "--intrinsics",
        "100",
        "100",
        "60",
        "45",
        "--tracking",
        "klt",
        "--features",
        "dad-nano",
    ]
    assert cli.main([*line, "--max-keypoints", "40", "--device", "cpu"]) == 0
    document = json.loads((tmp_path / "out/odometry.json").read_text())
    assert document["scale"] == "up to scale"
    assert document["tracks"]["mean_length"] > 1.5
    assert read_poses(tmp_path / "out/poses.txt").shape == (3, 4, 4)
    assert (tmp_path / "out/keypoints.mp4").stat().st_size > 0
    assert (tmp_path / "out/trajectory.mp4").stat().st_size > 0
    assert "<svg" in (tmp_path / "out/trajectory.svg").read_text()
    assert len(open_sequence(tmp_path / "walk", intrinsics=(1, 1, 1, 1)).names) == 3
