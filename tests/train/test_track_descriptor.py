"""TraqPoint's first stage: its losses by hand, partners on known warps, a short run."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from known_pairs import SIZE, same_view
from torch import Tensor, nn

from dad_sfm import cli
from dad_sfm.descriptors import DESCRIPTORS
from dad_sfm.train.objectives.track.descriptor import (
    TrackDescriptorConf,
    TrackDescriptorObjective,
)
from dad_sfm.train.objectives.track.focal import (
    focal,
    focal_dual_softmax,
    focal_matchability,
    grid_partners,
    grid_px,
)

CPU = torch.device("cpu")


def test_what_is_sure_already_weighs_little() -> None:
    log_p = torch.tensor([0.5, 0.9, 1.0]).log()
    expected = [-0.25 * 0.25 * math.log(0.5), -0.25 * 0.01 * math.log(0.9), 0]
    assert focal(log_p).tolist() == pytest.approx(expected, abs=1e-7)


def test_a_pair_must_be_right_both_ways() -> None:
    similarity = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])
    partner = torch.tensor([[0, -1]])
    # Of its row the pair has e / (e + 1), of its column one half.
    p = math.e / (math.e + 1) / 2
    expected = -0.25 * (1 - p) ** 2 * math.log(p)
    found = focal_dual_softmax(similarity, partner, scale=1.0)
    assert found.item() == pytest.approx(expected, rel=1e-5)
    nothing = focal_dual_softmax(similarity, torch.full((1, 2), -1), scale=1.0)
    assert nothing.item() == 0


def test_matchability_weighs_yes_and_no() -> None:
    logits = torch.tensor([0.0, math.log(3)])  # 1/2 and 3/4
    yes, no = -0.25 * 0.25 * math.log(0.5), -0.75 * 0.75**2 * math.log(0.25)
    found = focal_matchability(logits, torch.tensor([True, False]))
    assert found.item() == pytest.approx((yes + no) / 2, rel=1e-5)


def test_cells_are_partners_where_each_lies_in_the_other() -> None:
    grid = grid_px(8, 13, 4, device=CPU)
    assert grid.tolist() == [[1.5, 1.5], [5.5, 1.5], [9.5, 1.5], [1.5, 5.5], [5.5, 5.5], [9.5, 5.5]]
    to_b, to_a = grid[None] + torch.tensor([4.0, 0.0]), grid[None] - torch.tensor([4.0, 0.0])
    seen = torch.ones(1, 6, dtype=torch.bool)
    hidden = seen.clone()
    hidden[0, 4] = False
    partners = grid_partners(to_b, seen, to_a, hidden, shape=(2, 3), stride=4)
    # The last column leaves the image; the cell that 3 moves to is not seen from there.
    assert partners.tolist() == [[1, 2, -1, -1, 5, -1]]


class Told(nn.Module):
    """A network that describes a cell by its number."""

    def forward(self, features: list[Tensor], points: Tensor, size: tuple[int, int]) -> Tensor:
        assert size == (SIZE, SIZE)
        numbers = torch.arange(points.shape[1]) % 128
        return torch.eye(128)[numbers].expand(len(points), -1, -1)


def test_right_descriptors_cost_less_than_equal_ones() -> None:
    # Cells of 8 px: 64 of them, fewer than there are dimensions.
    made = TrackDescriptorObjective(TrackDescriptorConf(stride=8))
    batch = same_view()
    loss = made(Told(), batch, 0)
    assert loss.scalars["right"].item() == loss.scalars["matched"].item() == 1
    assert loss.scalars["match"].item() < 1e-5
    torch.testing.assert_close(loss.total, 5 * loss.scalars["match"] + loss.scalars["matchability"])

    class Blank(Told):
        def forward(self, features: list[Tensor], points: Tensor, size: tuple[int, int]) -> Tensor:
            return torch.ones(len(points), points.shape[1], 128) / math.sqrt(128)

    blank = made(Blank(), batch, 0)
    p = 1 / 64**2
    by_hand = -0.25 * (1 - p) ** 2 * math.log(p)
    assert blank.scalars["match"].item() == pytest.approx(by_hand, rel=1e-3)


@pytest.mark.slow
def test_a_run_ends_in_weights_that_describe(
    tmp_path: Path, photos: Path, one_thread: None, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["train", "track-descriptor", "--photos", str(photos), "--steps", "2"]
    arguments += ["--batch", "1", "--run", str(tmp_path / "run"), "--validate-every", "2"]
    arguments += ["--set", "loop.log_every=1", "data.size=64", "validation.batches=1"]
    assert cli.main(arguments) == 0
    rows = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    assert {"match", "matchability", "right"} <= rows[0].keys()
    assert any("held_out_score" in row for row in rows)
    weights = capsys.readouterr().out.split()[-1]
    describe = DESCRIPTORS.make({"name": "hypercolumn", "weights": weights})
    found = describe(torch.rand(3, 64, 96), torch.tensor([[20.0, 30.0]]))
    torch.testing.assert_close(found.norm(dim=1), torch.ones(1))
