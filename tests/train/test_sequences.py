import numpy as np
import pytest
import torch

from dad_sfm.core.config import ConfigError
from dad_sfm.geometry.homography import CORNERS, apply, four_point
from dad_sfm.train.data.batch import warp_points
from dad_sfm.train.data.homography_sequences import glide
from dad_sfm.train.data.photometric import Photometric
from dad_sfm.train.data.plugs import SEQUENCES, data_conf, make_data
from dad_sfm.train.data.rendered_sequences import RenderedSequenceConf, frame_numbers
from dad_sfm.train.data.sequence_batch import SequenceConf, difficulty

CPU = torch.device("cpu")
SAME = Photometric(*([0.0] * 8))


def _data(name, folders=(), seed=0, **options):
    small = SequenceConf(size=48, batch=2)
    conf = data_conf(SEQUENCES, name, small, photometric=SAME, frames=3, **options)
    return make_data(SEQUENCES, conf, folders, seed)


@pytest.fixture
def rendered(photos, tmp_path_factory):
    options = {"scenes": 1, "length": 4, "overlap": 0.4, "relief": False}
    bank = tmp_path_factory.getbasetemp() / "sequence-bank"
    return _data("rendered", [photos], bank=str(bank), **options)


def _check(batch):
    """Shapes; and that what the warp says looks like the reference."""
    B, K, H, W = 2, 3, 48, 48
    assert batch.reference.shape == (B, 3, H, W)
    assert batch.frames.shape == (B, K, 3, H, W)
    assert batch.warps.shape == (B, K, H, W, 2)
    assert batch.valid.shape == (B, K, H, W)
    assert batch.valid.float().mean() > 0.2
    for k in range(K):
        seen = torch.nn.functional.grid_sample(
            batch.frames[:, k], batch.warps[:, k], align_corners=False
        )
        here = batch.valid[:, k]
        gap, still = (
            (frame - batch.reference).abs().mean(dim=1)[here]
            for frame in (seen, batch.frames[:, k])
        )
        # Exposure changes; that nothing moved would be far worse.
        assert gap.median() < 0.75 * still.median()


def test_homography_sequences_are_consistent_with_their_warps(photos):
    data = _data("homography", [photos])
    _check(data.batch(0).to(CPU))
    again = _data("homography", [photos]).batch(0).to(CPU)
    assert torch.equal(again.frames, data.batch(0).to(CPU).frames)
    assert not torch.equal(again.frames, data.batch(1).to(CPU).frames)


def test_rendered_sequences_are_consistent_with_their_warps(rendered):
    _check(rendered.batch(0).to(CPU))


def test_a_gliding_view_moves_its_corners_on_straight_lines():
    first, last = np.eye(3), four_point(CORNERS, CORNERS * [0.5, 0.8] + [0.3, -0.1])
    views = glide(first, last, np.array([0, 0.25, 1]))
    np.testing.assert_allclose(apply(views[0], CORNERS), CORNERS, atol=1e-12)
    np.testing.assert_allclose(
        apply(views[1], CORNERS), 0.75 * CORNERS + 0.25 * apply(last, CORNERS), atol=1e-12
    )
    np.testing.assert_allclose(apply(views[2], CORNERS), apply(last, CORNERS), atol=1e-12)


def test_sequences_become_harder_by_thirds_of_the_run():
    assert [difficulty(step, 9, 3) for step in (0, 2, 3, 6, 8, 20)] == [0, 0, 1, 2, 2, 2]
    assert difficulty(5, 0, 3) is None


def test_frames_of_a_rendered_sequence_by_difficulty():
    rng = np.random.default_rng(0)
    for _ in range(20):
        for level in (0, 1, 2):
            rows = frame_numbers(rng, 7, 4, level)
            steps = np.diff(rows)
            assert len(rows) == 4
            assert len(set(np.sign(steps))) == 1
            if level == 0:
                assert set(np.abs(steps)) == {1}
            if level == 2:
                assert {rows[0], rows[-1]} == {0, 6}
    assert len(frame_numbers(rng, 4, 4, None)) == 4


def test_a_rendered_sequence_must_hold_the_frames_that_are_asked_for():
    with pytest.raises(ConfigError, match="do not hold a reference and 4 others"):
        RenderedSequenceConf(length=4)


def test_the_middle_of_a_gliding_view_is_where_the_warp_says(photos):
    batch = _data("homography", [photos]).batch(0)
    made = batch.to(CPU)
    points = torch.full((2, 1, 2), 20.0)
    moved, seen = warp_points(points, made.warps[:, 0], made.valid[:, 0])
    assert seen.all()
    norm = (np.full((1, 2), 20.0) + 0.5) / 24 - 1
    for b in range(2):
        views = batch.canvas_from_view[b].numpy()
        by_hand = apply(np.linalg.inv(views[1]) @ views[0], norm)
        np.testing.assert_allclose((by_hand + 1) * 24 - 0.5, moved[b].numpy(), atol=2e-3)


def test_several_kinds_of_sequences_by_turns(photos, rendered):
    options = {"bank": rendered.conf.bank, "scenes": 1, "length": 4, "overlap": 0.4}
    data = _data("homography+rendered", [photos], relief=False, **options)
    kinds = {type(data.batch(step)).__name__ for step in range(12)}
    assert kinds == {"HomographySequenceSource", "DepthSequenceSource"}
