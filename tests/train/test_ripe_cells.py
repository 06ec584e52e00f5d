"""The action of RIPE: hand-computed probabilities, and what many draws come to."""

import math

import pytest
import torch

from dad_sfm.train.objectives.ripe.cells import (
    CELL,
    away_from_border,
    cells_of,
    log_probability,
    pixels_of,
    sample,
)


def test_cells_are_rows_of_tiles_and_pixels_find_back():
    maps = torch.arange(16 * 24.0).view(1, 16, 24)
    cells = cells_of(maps)
    assert cells.shape == (1, 2 * 3, CELL * CELL)
    assert cells[0, 4, :3].tolist() == [8 * 24 + 8, 8 * 24 + 9, 8 * 24 + 10]
    choice = torch.tensor([[0, 7, 8, 63, 9, 5]])
    x, y = pixels_of(choice, 24)[0].unbind(-1)
    assert torch.equal(maps[0, y, x], cells[0, torch.arange(6), choice[0]])


def test_the_log_probability_is_that_of_the_pixel_times_that_of_accepting_it():
    """One logit of log 3 beside 63 zeros: chosen by 3/66, then accepted by 3/4."""
    cells = torch.zeros(1, 2, 64)
    cells[..., 10] = math.log(3)
    choice = torch.tensor([[10, 10]])
    found = log_probability(cells, choice, torch.tensor([[True, False]]))
    assert found[0].tolist() == pytest.approx(
        [math.log(3 / 66 * 3 / 4), math.log(3 / 66 * 1 / 4)], abs=1e-5
    )


def test_draws_come_as_often_as_their_probabilities_say():
    torch.manual_seed(0)
    logits = torch.full((400, 1, 8, 8), -20.0)
    logits[:, 0, 2, 5] = 1.0
    logits[:, 0, 6, 1] = 0.0
    drawn = sample(logits, torch.ones(400, 8, 8, dtype=torch.bool))
    first = (drawn.points_px[:, 0] == torch.tensor([5.0, 2.0])).all(dim=-1)
    second = (drawn.points_px[:, 0] == torch.tensor([1.0, 6.0])).all(dim=-1)
    assert (first | second).all()
    assert first.float().mean().item() == pytest.approx(math.e / (math.e + 1), abs=0.08)
    accepted = drawn.accepted[first, 0].float().mean().item()
    assert accepted == pytest.approx(1 / (1 + math.exp(-1)), abs=0.08)


def test_raising_the_log_probability_raises_the_drawn_pixel():
    torch.manual_seed(0)
    logits = torch.zeros(1, 1, 8, 16, requires_grad=True)
    drawn = sample(logits, torch.ones(1, 8, 16, dtype=torch.bool))
    drawn.log_probability[0, 1].backward()
    x, y = drawn.points_px[0, 1].long().tolist()
    # 1 - 1/64 of the softmax, and half of the sigmoid's slope, to the side that was drawn.
    expected = 63 / 64 + (0.5 if drawn.accepted[0, 1] else -0.5)
    assert logits.grad[0, 0, y, x].item() == pytest.approx(expected)
    assert (logits.grad[0, 0, :, :8] == 0).all()


def test_a_cell_with_a_pixel_of_padding_is_not_inside():
    inside = torch.ones(1, 8, 24, dtype=torch.bool)
    inside[0, 7, 15] = False
    drawn = sample(torch.zeros(1, 1, 8, 24), inside)
    assert drawn.inside.tolist() == [[True, False, True]]


def test_points_at_the_border_are_known():
    points = torch.tensor([[15.0, 16], [16, 16], [47, 31], [48, 31], [40, 32]])
    assert away_from_border(points, (64, 48), 16).tolist() == [False, True, True, False, False]
