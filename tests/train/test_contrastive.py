"""Losses of descriptors, by hand."""

from __future__ import annotations

import math

import pytest
import torch

from dad_sfm.train.objectives.contrastive import (
    cosine_distance,
    dual_softmax_loss,
    images_of,
    matching_accuracy,
    too_near,
)

NONE = torch.zeros(2, 2, dtype=torch.bool)


def test_dual_softmax_of_two_points() -> None:
    similarity = torch.tensor([[1.0, 0.0], [0.5, 1.0]])
    # Rows: softmax of (2, 0) and (1, 2); columns: of (2, 1) and (0, 2).
    rows = math.log1p(math.exp(-2)) + math.log1p(math.exp(-1))
    columns = math.log1p(math.exp(-1)) + math.log1p(math.exp(-2))
    loss = dual_softmax_loss(similarity, NONE, 2.0)
    assert loss.item() == pytest.approx((rows / 2 + columns / 2) / 2, abs=1e-6)


def test_ambiguous_pairs_do_not_count() -> None:
    similarity = torch.tensor([[0.2, 0.9], [0.9, 0.2]])
    ambiguous = torch.tensor([[False, True], [True, False]])
    assert dual_softmax_loss(similarity, ambiguous, 10.0).item() == pytest.approx(0.0, abs=1e-6)
    assert dual_softmax_loss(similarity, NONE, 10.0).item() > 5


def test_near_points_are_near_in_either_view_and_never_themselves() -> None:
    a = torch.tensor([[[0.0, 0.0], [3.0, 0.0], [50.0, 0.0]], [[9.0, 9.0], [0.0, 0.0], [0.0, 0.0]]])
    b = torch.tensor([[[0.0, 0.0], [40.0, 0.0], [0.0, 4.0]], [[9.0, 9.0], [0.0, 0.0], [0.0, 0.0]]])
    valid = torch.tensor([[True, True, True], [True, False, False]])
    near = too_near(a, b, valid, 5.0)
    assert near.nonzero().tolist() == [[0, 1], [0, 2], [1, 0], [2, 0]]
    assert near.shape == (4, 4)  # the padding of the second image is left out


def test_points_know_their_images() -> None:
    valid = torch.tensor([[True, True, False], [False, True, False]])
    assert images_of(valid).tolist() == [0, 0, 1]


def test_cosine_distance() -> None:
    found = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    wanted = torch.tensor([[5.0, 0.0], [0.0, -3.0]])
    assert cosine_distance(found, wanted).item() == pytest.approx((0 + 2) / 2)
    nothing = torch.zeros(0, 2)
    assert cosine_distance(nothing, nothing).item() == 0.0


def test_accuracy_counts_mutual_neighbours_within_their_image() -> None:
    similarity = torch.tensor(
        [
            [0.9, 0.1, 0.95],  # its best partner is in another image, which does not count
            [0.95, 0.8, 0.0],  # prefers the first column
            [0.0, 0.0, 0.1],
        ]
    )
    image = torch.tensor([0, 0, 1])
    none = torch.zeros(3, 3, dtype=torch.bool)
    # Column 0 prefers row 1, so that row 0 is not mutual either; row 2 is alone in its image.
    assert matching_accuracy(similarity, image, none).item() == pytest.approx(1 / 3)
    ambiguous = none.clone()
    ambiguous[1, 0] = True
    assert matching_accuracy(similarity, image, ambiguous).item() == pytest.approx(1.0)
