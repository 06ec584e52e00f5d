import numpy as np
import pytest

from dad_sfm.core.types import Features
from dad_sfm.evaluation.pose_task import PosePair
from dad_sfm.evaluation.ranking import ranked
from dad_sfm.evaluation.track_task import TrackTask, epipolar_distance, track_lengths
from dad_sfm.geometry.cameras import Camera

CAMERA = Camera("PINHOLE", 1024, 768, (500.0, 500.0, 512.0, 384.0))
SIDEWAYS = np.array([[1.0, 0, 0, -1], [0, 1, 0, 0], [0, 0, 1, 0]])  # B is 1 m to the right of A


def pair(a: str, b: str) -> PosePair:
    return PosePair(a, b, (CAMERA, CAMERA), SIDEWAYS)


def test_lengths_follow_the_links_until_one_is_missing():
    steps = [np.array([2, -1, 0]), np.array([0, 1, -1]), np.array([-1, 3])]
    # 0 -> 2 -> ends; 1 ends at once; 2 -> 0 -> 0 -> ends.
    assert track_lengths(steps).tolist() == [2, 1, 3]
    assert track_lengths([np.array([0]), np.zeros(0, int)]).tolist() == [2]
    assert track_lengths([np.zeros(0, int)]).tolist() == []


def test_the_epipolar_lines_of_a_camera_that_moves_sideways_are_rows():
    points_a = np.array([[100.0, 200.0], [700.0, 300.0]])
    points_b = np.array([[50.0, 203.0], [690.0, 300.0]])
    distance = epipolar_distance(pair("a", "b"), points_a, points_b)
    np.testing.assert_allclose(distance, [3, 0], atol=1e-9)


class _Reader:
    """The same three points, a little to the left in every frame; the third sinks by 3 px."""

    def read(self, name: str):
        t = "abc".index(name)
        points = np.array([[300.0, 100.0], [400.0, 200.0], [500.0, 300.0 + 3 * t]])
        points[:, 0] -= 20 * t
        scores = np.array([0.9, 0.8, 0.7], np.float32)
        return ranked(name, Features(points.astype(np.float32), scores, (1024, 768)))


def link(pair, a, b):
    """All points to their like, but for the second one from b to c."""
    rows = [0, 2] if pair.name_a == "b" else [0, 1, 2]
    return lambda budget: np.array([[row, row] for row in rows if row < budget])


def test_tracks_end_where_a_link_is_missing_or_off_the_true_line(tmp_path):
    task = TrackTask("walk", [pair("a", "b"), pair("b", "c")])
    assert task.frames == ["a", "b", "c"]
    (table,) = task.judge(_Reader(), link, [3, 1], tmp_path)
    assert table.items == ("a", "b")
    three, one = table.values[3], table.values[1]
    # From a: 3, 2, 1 frames; from b: 2, 1, 1.
    assert three["length"][:, 0].tolist() == pytest.approx([2, 4 / 3])
    assert three["median_length"][:, 0].tolist() == [2, 1]
    assert three["alive_1"][:, 0].tolist() == pytest.approx([2 / 3, 1 / 3])
    assert three["alive_2"][0, 0] == pytest.approx(1 / 3)
    assert np.isnan(three["alive_2"][1, 0])
    assert one["length"][:, 0].tolist() == [3, 2]
