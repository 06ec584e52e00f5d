"""Our errors of a path are those of evo (Grupp, 2017)."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from dad_sfm.odometry.motion import errors_of

pytest.importorskip("evo", reason="the extra evo is not installed")


def path(rng: np.random.Generator, noise: float) -> np.ndarray:
    """N×4×4 world_from_cam along an arc, each pose off by a little."""
    poses = []
    for angle in np.linspace(0, 2, 12):
        c, s = np.cos(angle), np.sin(angle)
        turn = noise * rng.standard_normal()
        tilt = np.array(
            [[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]]
        )
        pose = np.eye(4)
        pose[:3, :3] = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]) @ tilt
        pose[:3, 3] = [3 * c, 0.1 * angle, 3 * s] + noise * rng.standard_normal(3)
        poses.append(pose)
    return np.stack(poses)


def test_errors_are_those_of_evo() -> None:
    from evo.core import metrics
    from evo.core.trajectory import PosePath3D

    rng = np.random.default_rng(0)
    found, true = path(rng, 0.05), path(rng, 0.0)
    ours = errors_of(found, true)
    truth, odometry = (PosePath3D(poses_se3=list(each)) for each in (true, found))
    aligned = copy.deepcopy(odometry)
    aligned.align(truth, correct_scale=True)
    translation, angle = (
        metrics.PoseRelation.translation_part,
        metrics.PoseRelation.rotation_angle_deg,
    )
    ape = metrics.APE(translation)
    ape.process_data((truth, aligned))
    rpe, turns = (metrics.RPE(each, 1, metrics.Unit.frames) for each in (translation, angle))
    rpe.process_data((truth, odometry))
    turns.process_data((truth, odometry))
    kind = metrics.StatisticsType
    assert ours.ate_rmse == pytest.approx(ape.get_statistic(kind.rmse), rel=1e-6)
    assert ours.rpe_translation == pytest.approx(rpe.get_statistic(kind.rmse), rel=1e-6)
    assert ours.rpe_rotation_deg == pytest.approx(turns.get_statistic(kind.mean), rel=1e-5)
