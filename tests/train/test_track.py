"""The objective track on frames, logits and descriptors that are known, and a short run."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from known_pairs import SIZE, hills
from torch import Tensor

from dad_sfm import cli
from dad_sfm.core.config import ConfigError
from dad_sfm.models.checkpoints import sha256_of
from dad_sfm.models.dad_weights import find_weights
from dad_sfm.models.nano import Nano
from dad_sfm.models.pretrained import load_weights
from dad_sfm.train.data.sequence_batch import SequenceBatch
from dad_sfm.train.data.view_sampling import view_grid
from dad_sfm.train.objectives.sampling import SamplingConf
from dad_sfm.train.objectives.track.actions import hybrid_sample, log_probability
from dad_sfm.train.objectives.track.objective import TrackConf, TrackObjective
from dad_sfm.train.objectives.track.rewards import cell_ranks, rank_reward, read_nearest

FRAMES = 3
CONF = TrackConf(
    sample_cell_px=16,
    extra_points=4,
    rank_cell_px=32,
    warmup=0.0,
    entropy_weights=(0.0, 0.0),
)
POINTS = 16 + 4


def still(images: Tensor | None = None) -> SequenceBatch:
    """One sequence of a camera that does not move."""
    images = torch.zeros(1, 3, SIZE, SIZE) if images is None else images
    frames = images[:, None].expand(-1, FRAMES, -1, -1, -1)
    warps = view_grid(SIZE).expand(1, FRAMES, SIZE, SIZE, 2)
    return SequenceBatch(images, frames, warps, torch.ones(1, FRAMES, SIZE, SIZE, dtype=torch.bool))


def each_its_own(images: Tensor, points: Tensor) -> Tensor:
    """Descriptors that tell the points apart and find each again."""
    return torch.eye(points.shape[1]).expand(len(images), -1, -1)


def objective(
    conf: TrackConf, describe: Callable[[Tensor, Tensor], Tensor] = each_its_own, *, steps: int = 10
) -> TrackObjective:
    made = TrackObjective(conf, steps=steps)
    made._descriptor = describe  # type: ignore[assignment]
    return made


def known_logits() -> tuple[Tensor, Tensor]:
    logits = (hills([(10, 10), (50, 40)]) + 0.01 * torch.arange(SIZE**2).view(1, 1, SIZE, SIZE)) / 2
    return logits.requires_grad_(), logits.detach()[:, None].expand(-1, FRAMES, -1, -1, -1)


def test_what_is_found_again_earns_its_rank_and_all_of_its_distinctiveness() -> None:
    logits, others = known_logits()
    loss = objective(CONF).loss(logits, others, still(), 3)
    pixels = hybrid_sample(logits.detach(), cell_px=16, extra=4, seed=3)
    ranks = rank_reward(read_nearest(cell_ranks(logits.detach(), 32), pixels.float()))
    assert loss.scalars["rank"].item() == pytest.approx(ranks.mean().item(), rel=1e-5)
    assert loss.scalars["distinctive"].item() == pytest.approx(1)
    expected = -((ranks + 1) * log_probability(logits, pixels)).mean()
    assert loss.total.item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_frame_in_which_a_point_does_not_look_like_itself_pays_nothing() -> None:
    def other_in_frames(images: Tensor, points: Tensor) -> Tensor:
        found = each_its_own(images, points)
        return found if len(images) == 1 else found.roll(1, dims=-1)

    logits, others = known_logits()
    loss = objective(CONF, other_in_frames).loss(logits, others, still(), 3)
    assert loss.scalars["reward"].item() == 0
    assert loss.total.item() == 0


def test_only_frames_that_see_a_point_count() -> None:
    logits, others = known_logits()
    batch = still()
    hidden = batch.valid.clone()
    hidden[:, 1:] = False
    one_frame = objective(CONF).loss(logits, others, replace(batch, valid=hidden), 3)
    all_frames = objective(CONF).loss(logits, others, batch, 3)
    assert one_frame.total.item() == pytest.approx(all_frames.total.item(), rel=1e-5)
    nowhere = replace(batch, valid=torch.zeros_like(hidden))
    nothing = objective(CONF).loss(logits, others, nowhere, 3)
    assert nothing.scalars["covisible"].item() == 0
    assert nothing.total.item() == 0


def test_peaks_compete_with_each_other_alone() -> None:
    peaks = SamplingConf(keypoints=(2, 2), nms_size=5, balance=0.0)
    conf = replace(CONF, draws="peaks", peaks=peaks, found_weight=3.0, found_sigma_px=1.0)
    conf = replace(conf, distinctiveness_weight=0.0)
    logits = hills([(10, 10), (50, 40)]).requires_grad_()
    # The second hill is elsewhere in all other frames, its rank there near the middle.
    others = hills([(10, 10), (20, 40)])[:, None].expand(-1, FRAMES, -1, -1, -1)
    loss = objective(conf).loss(logits, others, still(), 3)
    loss.total.backward()
    assert loss.scalars["found"].item() == pytest.approx(0.5)
    assert logits.grad[0, 0, 10, 10] < 0 < logits.grad[0, 0, 40, 50]
    assert (logits.grad != 0).sum() == 2


def test_found_again_is_graded_by_the_distance_to_the_nearest_peak() -> None:
    peaks = SamplingConf(keypoints=(2, 2), nms_size=5, balance=0.0)
    conf = replace(CONF, found_weight=1.0, peaks=peaks, found_sigma_px=2.0)
    made = objective(conf)
    points = torch.tensor([[[10.0, 10.0], [50.0, 42.0], [30.0, 20.0]]])
    visible = torch.tensor([[True, True, False]])
    found = made._found(hills([(10, 10), (50, 40)]), points, visible, 2)
    assert found[0].tolist() == pytest.approx([1, math.exp(-0.5), 0])


def test_the_consensus_of_a_network_holds_it() -> None:
    """With a still camera the consensus of a network is what it says: nothing is to be learned."""
    nano = Nano()
    load_weights(nano, find_weights("nano"))
    images = torch.rand(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    conf = replace(CONF, policy_weight=0.0, consensus="nano", consensus_weight=2.0)
    made = objective(conf)
    same = made(nano.eval(), still(images), 0)
    assert same.scalars["consensus"].item() == pytest.approx(0, abs=1e-4)
    logits, others = known_logits()
    other = made.loss(logits, others, still(images), 0)
    assert other.scalars["consensus"].item() > 0.1
    assert other.total.item() == pytest.approx(2 * other.scalars["consensus"].item(), rel=1e-5)
    named = TrackObjective(conf).identity()
    assert named["consensus"] == sha256_of(find_weights("nano"))
    with pytest.raises(ConfigError, match="nothing would hold the network"):
        replace(CONF, baseline=True)


def test_batch_norm_keeps_its_statistics_where_asked() -> None:
    images = torch.rand(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    for frozen in (False, True):
        network = Nano(8, 8, 8, 4).train()
        before = network.encode_half[0][1].running_mean.clone()
        objective(replace(CONF, freeze_norm=frozen))(network, still(images), 0).total.backward()
        assert torch.equal(before, network.encode_half[0][1].running_mean) == frozen
        assert network.encode_half[0][1].weight.grad is not None


def test_more_peaks_may_be_drawn_than_find_again() -> None:
    """So that points compete across the cut: the second peak is drawn, but finds nothing."""
    peaks = SamplingConf(keypoints=(1, 1), nms_size=5, balance=0.0)
    conf = replace(CONF, draws="peaks", peaks=peaks, found_weight=1.0, rank_weight=0.0)
    conf = replace(conf, peaks_drawn=2.0)
    conf = replace(conf, distinctiveness_weight=0.0, baseline=True, consensus="nano")
    conf = replace(conf, consensus_weight=0.0)
    logits = torch.maximum(hills([(10, 10)]), hills([(50, 40)], height=5.0)).requires_grad_()
    others = logits.detach()[:, None].expand(-1, FRAMES, -1, -1, -1)
    loss = objective(conf).loss(logits, others, still(), 3)
    loss.total.backward()
    assert "rank" not in loss.scalars
    assert loss.scalars["found"].item() == pytest.approx(0.5)
    assert logits.grad[0, 0, 10, 10].item() == pytest.approx(-0.5)
    assert logits.grad[0, 0, 40, 50].item() == pytest.approx(0.5)


def test_corners_are_taught_while_the_policy_warms_up() -> None:
    images = torch.rand(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    logits, others = known_logits()
    made = objective(replace(CONF, warmup=0.5), steps=10)
    scalars = [made.loss(logits, others, still(images), step).scalars for step in (0, 4, 5)]
    assert scalars[0]["corners"] > 0
    assert scalars[2]["corners"] == 0
    first = 0.1 * scalars[0]["policy"] + 10 * scalars[0]["corners"]
    assert scalars[0]["loss"].item() == pytest.approx(first.item(), rel=1e-5)
    later = 0.82 * scalars[1]["policy"] + 2 * scalars[1]["corners"]
    assert scalars[1]["loss"].item() == pytest.approx(later.item(), rel=1e-5)
    assert scalars[2]["loss"].item() == pytest.approx(scalars[2]["policy"].item(), rel=1e-5)


def test_the_descriptor_is_one_of_the_registry() -> None:
    with pytest.raises(ConfigError, match="unknown descriptor"):
        TrackObjective(replace(CONF, descriptor="dino"))
    with pytest.raises(ConfigError, match="takes no weights"):
        TrackObjective(replace(CONF, descriptor_weights="some.pth"))


def test_a_random_network_learns_corners_first(one_thread: None) -> None:
    torch.manual_seed(0)
    images = torch.rand(1, 3, 8, 8).repeat_interleave(8, 2).repeat_interleave(8, 3)
    network = Nano(8, 8, 8, 4).train()
    made = objective(replace(CONF, warmup=1.0), steps=1000)
    optimizer = torch.optim.AdamW(network.parameters(), 1e-2)
    corners = []
    for step in range(12):
        loss = made(network, still(images), step)
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
        corners.append(loss.scalars["corners"].item())
    assert corners[-1] < 0.8 * corners[0]


def test_a_run_from_the_command_line(
    tmp_path: Path, photos: Path, one_thread: None, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["train", "track", "--preset", "track-nano", "--photos", str(photos)]
    arguments += ["--steps", "2", "--batch", "1", "--curriculum", "2", "--network", "nano"]
    arguments += ["--run", str(tmp_path / "run"), "--validate-every", "2"]
    arguments += ["--set", "loop.log_every=1", "data.size=96", "validation.batches=1"]
    assert cli.main(arguments) == 0
    rows = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    assert {"reward", "distinctive", "found", "consensus", "entropy"} <= rows[0].keys()
    assert any("repeatability" in row for row in rows)
    assert Path(capsys.readouterr().out.split()[-1]).is_file()
