"""The descriptor's objective and its validation on batches with known answers."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from dad_sfm.models.checkpoints import sha256_of
from dad_sfm.models.dad_weights import find_weights
from dad_sfm.models.hypercolumn import Hypercolumn
from dad_sfm.train.data.described_batch import DescribedBatch
from dad_sfm.train.objectives.descriptor import DescriptorConf, DescriptorObjective
from dad_sfm.train.validation.matching import MatchingValidation


def batch(*, same: bool = True) -> DescribedBatch:
    """Two pairs of views of noise; the second view shows what the first does, or something else."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(4, 3, 64, 64, generator=generator)
    if same:
        images[2:] = images[:2]
    points = torch.rand(2, 12, 2, generator=generator) * 50 + 7
    teacher = nn.functional.normalize(torch.randn(2, 12, 128, generator=generator), dim=-1)
    valid = torch.ones(2, 12, dtype=torch.bool)
    valid[1, 8:] = False
    return DescribedBatch(images, points.repeat(2, 1, 1), valid, teacher)


@pytest.fixture(scope="module")
def objective() -> DescriptorObjective:
    return DescriptorObjective(DescriptorConf(near_px=0.1))


class Told(nn.Module):
    """A network that has been told its descriptors."""

    def __init__(self, descriptors: Tensor) -> None:
        super().__init__()
        self.descriptors = descriptors

    def forward(self, features: list[Tensor], points: Tensor, size: tuple[int, int]) -> Tensor:
        assert size == (64, 64)
        assert [each.shape[1] for each in features] == [32, 48, 64]
        return self.descriptors


def test_the_teachers_descriptors_are_the_best(objective: DescriptorObjective) -> None:
    views = batch()
    told = views.teacher.repeat(2, 1, 1)
    best = objective(Told(told), views, 0)
    assert best.scalars["teacher_distance"].item() == pytest.approx(0, abs=1e-6)
    swapped = told.clone()
    swapped[2:] = told[2:].roll(1, dims=1)
    assert objective(Told(swapped), views, 0).total > best.total + 1


def test_padding_teaches_nothing(objective: DescriptorObjective) -> None:
    views = batch()
    told = views.teacher.repeat(2, 1, 1)
    before = objective(Told(told), views, 0)
    other = told.clone()
    other[1::2, 8:] = torch.randn(2, 4, 128)
    torch.testing.assert_close(objective(Told(other), views, 0).total, before.total)


def test_rivals_are_of_one_photo_for_the_views_and_of_all_for_the_teacher() -> None:
    """Where all descriptors are the same, each rival is as likely as the truth."""
    conf = DescriptorConf(near_px=0.1, teacher_weight=3.0, likeness_weight=0.25)
    views = batch()  # of 12 and of 8 points
    same = nn.functional.normalize(torch.ones(4, 12, 128), dim=-1)
    views = replace(views, teacher=5 * same[:2])
    loss = DescriptorObjective(conf)(Told(same), views, 0)
    one_photo = (12 * math.log(12) + 8 * math.log(8)) / 20
    assert loss.scalars["contrastive"].item() == pytest.approx(one_photo, rel=1e-5)
    assert loss.scalars["likeness"].item() == pytest.approx(math.log(20), rel=1e-5)
    assert loss.scalars["teacher_distance"].item() == pytest.approx(0, abs=1e-5)
    opposite = DescriptorObjective(conf)(Told(-same), views, 0)
    expected = one_photo + 3.0 * 2 + 0.25 * math.log(20)
    assert opposite.total.item() == pytest.approx(expected, rel=1e-5)


def test_a_step_reaches_network_and_objective_but_not_the_encoder(
    objective: DescriptorObjective,
) -> None:
    network = Hypercolumn().train()
    objective(network, batch(), 0).total.backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
    assert objective.to_teacher.weight.grad is not None
    own = {"to_teacher", "log_scale", "teacher_log_scale"}
    assert {name.split(".")[0] for name in objective.state_dict()} == own
    assert all(p.grad is not None for p in objective.parameters())


def test_weights_name_their_encoder(objective: DescriptorObjective) -> None:
    assert objective.metadata() == {"encoder": sha256_of(find_weights("nano"))}


def test_equal_views_match_and_unequal_ones_do_not(objective: DescriptorObjective) -> None:
    network = Hypercolumn().eval()

    class Data:
        def __init__(self, views: DescribedBatch) -> None:
            self.views = views

        def batch(self, step: int) -> DescribedBatch:
            return self.views

    same, other = (
        MatchingValidation(Data(batch(same=s)), objective.describe, near_px=0.1, batches=1)(
            network, torch.device("cpu")
        )["matching"]
        for s in (True, False)
    )
    assert same == 1.0
    assert other < 0.6
