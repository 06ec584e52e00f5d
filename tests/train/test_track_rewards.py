import math

import pytest
import torch

from dad_sfm.train.objectives.track.actions import (
    against_mean,
    among_draws,
    cell_entropy,
    hybrid_sample,
    log_probability,
    to_cells,
)
from dad_sfm.train.objectives.track.consensus import consensus
from dad_sfm.train.objectives.track.corners import corner_heatmap, corner_loss, fast_scores
from dad_sfm.train.objectives.track.rewards import (
    cell_ranks,
    distinctiveness,
    distinctiveness_reward,
    ramp,
    rank_reward,
    read_nearest,
    track_reward,
)


def test_one_point_is_drawn_in_each_cell_and_the_best_ones_anywhere():
    logits = torch.zeros(1, 1, 5, 6)
    sure = [(1, 1), (5, 0), (0, 4), (4, 3)]  # one in each 3×3 cell, the lower ones cut to two rows
    for x, y in sure:
        logits[0, 0, y, x] = 50.0
    pixels = hybrid_sample(logits, cell_px=3, extra=4, seed=1)
    assert pixels.shape == (1, 8, 2)
    assert pixels[0, :4].tolist() == [list(point) for point in [(1, 1), (5, 0), (0, 4), (4, 3)]]
    assert {tuple(point) for point in pixels[0, 4:].tolist()} == set(sure)
    assert torch.equal(pixels, hybrid_sample(logits, cell_px=3, extra=4, seed=1))


def test_draws_follow_the_policy():
    logits = torch.tensor([0.0, 0.0, math.log(2)]).expand(4000, 1, 1, 3).contiguous()
    drawn = hybrid_sample(logits, cell_px=3, extra=1, seed=0)[..., 0]
    for draws in drawn.T:  # of the only cell, and of the whole map
        assert (draws == 2).float().mean().item() == pytest.approx(0.5, abs=0.03)


def test_log_probabilities_are_of_the_softmax_over_the_image():
    logits = torch.log(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]))
    pixels = torch.tensor([[[1, 0], [0, 1]]])
    assert log_probability(logits, pixels).exp().tolist() == [pytest.approx([0.2, 0.3])]


def test_among_draws_the_policy_should_be_proportional_to_what_they_earn():
    reward = torch.tensor([[1.0, 3.0, 9.0]])
    seen = torch.tensor([[True, True, False]])
    right = torch.tensor([[5.0, 5.0 + math.log(3), 70.0]])
    assert among_draws(right, reward, seen).item() == pytest.approx(0, abs=1e-6)
    flat = torch.zeros(1, 3, requires_grad=True)
    loss = among_draws(flat, reward, seen)
    # Divergence of (1/2, 1/2) from (1/4, 3/4), times the mean reward of 2.
    by_hand = 0.25 * math.log(0.25 / 0.5) + 0.75 * math.log(0.75 / 0.5)
    assert loss.item() == pytest.approx(2 * by_hand, rel=1e-5)
    loss.backward()
    assert flat.grad[0].tolist() == pytest.approx([0.5, -0.5, 0])
    assert among_draws(flat, reward, torch.zeros_like(seen)).item() == 0


def test_against_the_mean_better_draws_are_pushed_up_and_worse_ones_down():
    reward = torch.tensor([[1.0, 3.0, 9.0]])
    seen = torch.tensor([[True, True, False]])
    logits = torch.tensor([[0.5, -0.5, 7.0]], requires_grad=True)
    loss = against_mean(logits, reward, seen)
    # One standard deviation below the mean of 2 and one above; their log-probabilities differ by 1.
    assert loss.item() == pytest.approx(0.5, rel=1e-5)
    loss.backward()
    assert logits.grad[0].tolist() == pytest.approx([0.5, -0.5, 0])
    # Where all earn alike there is nothing to learn.
    assert against_mean(logits, torch.full((1, 3), 4.0), seen).item() == 0


def test_a_consensus_is_the_mean_over_the_frames_that_see_a_pixel():
    p = torch.tensor([[0.1, 0.2, 0.3, 0.4]])
    reference = p.log().view(1, 1, 1, 4)
    frames = torch.stack([reference.flip(-1), reference], dim=1)
    warps = view_grid_of(1, 4).expand(1, 2, 1, 4, 2)
    valid = torch.zeros(1, 2, 1, 4, dtype=torch.bool)
    valid[0, 0, 0, 0] = True  # the first frame sees the first pixel, and says 0.4 of it
    found = consensus(reference, frames, warps, valid).exp().flatten()
    wanted = torch.tensor([0.2, 0.2, 0.3, 0.4])  # the geometric mean of 0.1 and 0.4
    torch.testing.assert_close(found, wanted / wanted.sum())


def view_grid_of(H: int, W: int) -> torch.Tensor:
    """H×W×2 normalised pixel centres."""
    y, x = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
    return torch.stack([(2 * x + 1) / W - 1, (2 * y + 1) / H - 1], dim=-1).float()


def test_cells_are_cut_row_by_row_and_filled_at_the_edges():
    cells = to_cells(torch.arange(6.0).view(1, 2, 3), (2, 2), -1)
    assert cells.tolist() == [[[0, 1, 3, 4], [2, -1, 5, -1]]]


def test_cell_entropy_is_the_mean_over_the_cells():
    logits = torch.zeros(1, 1, 4, 4)
    assert cell_entropy(logits, grid=2).item() == pytest.approx(math.log(4))
    logits[0, 0, 0, 0] = 100.0  # one of four cells has made up its mind
    assert cell_entropy(logits, grid=2).item() == pytest.approx(0.75 * math.log(4))
    # 3×3 pixels in two by two cells: of 4, 2, 2 and 1 pixels.
    by_hand = (math.log(4) + 2 * math.log(2)) / 4
    assert cell_entropy(torch.zeros(1, 1, 3, 3), grid=2).item() == pytest.approx(by_hand)


def test_ranks_count_what_is_lower_in_the_same_cell():
    logits = torch.tensor([[[[0.0, 1.0, 9.0], [2.0, 2.0, 8.0]]]])
    assert cell_ranks(logits, 2)[0].tolist() == [[0, 0.25, 0.5], [0.5, 0.5, 0]]


def test_values_are_read_at_the_nearest_pixel_inside():
    maps = torch.arange(6.0).view(1, 2, 3)
    points = torch.tensor([[[0.4, 0.6], [1.6, -3.0], [9.0, 9.0]]])
    assert read_nearest(maps, points).tolist() == [[3, 2, 5]]


def test_rewards_are_linear_between_their_ends():
    ranks = torch.tensor([0.0, 0.2, 0.6, 1.0])
    assert rank_reward(ranks).tolist() == pytest.approx([0, 0, 0.5, 1])
    ratios = torch.tensor([0.0, 0.425, 0.85, 2.0, torch.inf])
    assert distinctiveness_reward(ratios).tolist() == pytest.approx([1, 0.5, 0, 0, 0])


def test_distinctiveness_compares_the_own_distance_with_the_next_one():
    e = torch.eye(3)
    reference = e[None]
    found = torch.stack([e[0], (e[0] + e[1]) / math.sqrt(2), e[2]])[None]
    ratio = distinctiveness(reference, found, torch.ones(1, 3, dtype=torch.bool))[0]
    near, far = math.sqrt(2 - math.sqrt(2)), math.sqrt(2)
    # Point 0 is found exactly; point 1 at `near`, as far as point 2, which is at `far` for it.
    assert ratio.tolist() == pytest.approx([0, near / far, 0])
    # Without point 0 in the frame, point 1 has point 2 to compare with, and point 2 point 1.
    visible = torch.tensor([[False, True, True]])
    assert distinctiveness(reference, found, visible)[0, 1].item() == pytest.approx(near / far)


def test_alone_in_a_frame_a_point_is_as_distinct_as_can_be():
    one = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    visible = torch.tensor([[True, False]])
    assert distinctiveness(one, one, visible)[0, 0].item() == 0


def test_a_track_earns_the_mean_over_the_frames_that_see_it():
    earned = torch.tensor([[[1.0, 2.0, 5.0], [2.0, 4.0, 5.0]]])
    covisible = torch.tensor([[[True, True, False], [True, False, False]]])
    assert track_reward(earned, covisible).tolist() == [[1.5, 2.0, 0.0]]


def test_ramps():
    assert [ramp(step, 10, 0.1, 1.1) for step in (0, 5, 10, 99)] == pytest.approx(
        [0.1, 0.6, 1.1, 1.1]
    )
    assert ramp(0, 0, 1.0, 2.0) == 2.0


def _square() -> torch.Tensor:
    images = torch.zeros(1, 3, 24, 24)
    images[:, :, 8:16, 8:16] = 100 / 255
    return images


def test_fast_finds_the_corners_of_a_square():
    scores = fast_scores(_square())[0]
    corners = {(8, 8), (15, 8), (8, 15), (15, 15)}
    # Eleven of the sixteen neighbours of a corner are off the square, eight of those of an edge.
    for x, y in corners:
        assert scores[y, x].item() == pytest.approx(100, abs=0.1)
    assert scores[8, 11].item() == 0
    assert scores[12, 12].item() == 0


def test_the_heatmap_is_one_at_a_corner_and_falls_as_a_gaussian():
    images = torch.zeros(1, 3, 40, 40)
    images[:, :, 20, 20] = 1.0  # a dot: all around it is darker
    heat = corner_heatmap(images, sigma_px=2.0)[0, 0]
    assert heat[20, 20].item() == pytest.approx(1, abs=0.01)
    assert heat[20, 22].item() == pytest.approx(math.exp(-0.5), abs=0.02)
    assert heat[20, 35].item() == 0
    assert corner_heatmap(images / 15)[0, 0].max().item() == 0  # 17 grey levels are below 20


def test_corner_loss_is_zero_for_a_detector_of_corners():
    images = _square()
    wanted = corner_heatmap(images).clamp(1e-4, 1 - 1e-4)
    right = torch.logit(wanted)
    options = {"threshold": 20.0, "sigma_px": 2.0}
    assert corner_loss(right, images, **options).item() < 1e-6
    assert corner_loss(-right, images, **options).item() > 0.2
