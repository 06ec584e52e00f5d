"""The objective ripe on draws and descriptors that are known, and on a toy set."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from labelled_folders import write_places
from torch import Tensor

from dad_sfm import cli
from dad_sfm.core.config import ConfigError
from dad_sfm.models.nano import Nano
from dad_sfm.models.ripe import RIPENano
from dad_sfm.train.data.labelled_batch import LabelledBatch
from dad_sfm.train.objectives.ripe.cells import Sample
from dad_sfm.train.objectives.ripe.objective import RIPEConf, RIPEObjective
from dad_sfm.train.presets import PRESETS
from dad_sfm.train.runs import train

SIDE = 12  # cells
CELLS = SIDE * SIDE
SIZE = 8 * SIDE
CONF = RIPEConf(penalty=0.001, point_cost=0.0, border=0, descriptor_weight=0.0)


def pair(*, positive: bool, padding: bool = False) -> LabelledBatch:
    images = torch.zeros(1, 3, SIZE, SIZE)
    inside = torch.ones(1, SIZE, SIZE, dtype=torch.bool)
    if padding:
        inside[:, :, : SIZE // 2] = False
    return LabelledBatch(images, images, inside, inside, torch.tensor([positive]))


def drawn(batch: LabelledBatch, accepted: Tensor | None = None) -> tuple[Sample, Tensor]:
    """Two images of the same points, moved alike; each point has a descriptor of its own, so that
    all that are accepted match and fit.  All log-probabilities are -1."""
    number = torch.arange(CELLS)
    x, y = 8 * (number % SIDE), 8 * (number // SIDE)
    shift = torch.rand(CELLS, generator=torch.Generator().manual_seed(0)) * 6
    one = torch.stack([x, y], dim=1).float()
    # Seen by two cameras side by side: rows stay, columns move by depth.
    other = one + torch.stack([shift, torch.zeros(CELLS)], dim=1)
    accepted = torch.ones(CELLS, dtype=torch.bool) if accepted is None else accepted
    inside = torch.cat([batch.inside_a, batch.inside_b])[:, ::8, ::8].reshape(2, CELLS)
    sample = Sample(
        torch.stack([one, other]),
        torch.full((2, CELLS), -1.0).requires_grad_(),
        accepted.expand(2, -1),
        inside,
    )
    return sample, torch.eye(CELLS).expand(2, -1, -1)


def test_a_positive_pair_raises_what_fits_and_a_negative_one_lowers_it() -> None:
    accepted = torch.arange(CELLS) < 100
    for positive, sign in ((True, 1), (False, -1)):
        batch = pair(positive=positive)
        sample, descriptors = drawn(batch, accepted)
        # Late in the run, so that the penalty has its full weight.
        loss = RIPEObjective(CONF, steps=10).loss(sample, descriptors, batch, 10)
        # 100 inliers earn ±1, the other pairs of cells ∓0.001; each has log-probability -2.
        mean = sign * (100 - 0.001 * (CELLS**2 - 100)) / CELLS**2
        assert loss.scalars["policy"].item() == pytest.approx(2 * mean, rel=1e-4)
        loss.total.backward()
        gradient = sample.log_probability.grad[0]
        # Downhill: minus the gradient raises the log-probability of inliers in a positive pair.
        assert (sign * gradient[:100] < 0).all()
        assert (sign * gradient[100:] > 0).all()
        kind = "positive" if positive else "negative"
        assert loss.scalars[f"inliers_{kind}"] == 100
        assert loss.scalars["inliers_negative" if positive else "inliers_positive"].isnan()


def test_fewer_than_sixteen_points_are_skipped() -> None:
    for count, skipped in ((15, 1.0), (16, 0.0)):
        batch = pair(positive=True)
        sample, descriptors = drawn(batch, torch.arange(CELLS) < count)
        loss = RIPEObjective(CONF, steps=10).loss(sample, descriptors, batch, 0)
        assert loss.scalars["skipped"] == skipped
        loss.total.backward()  # nothing to learn, but no error
        assert bool((sample.log_probability.grad == 0).all()) == bool(skipped)


def test_padding_is_ignored_or_punished() -> None:
    batch = pair(positive=True, padding=True)
    left = torch.arange(CELLS) % SIDE < SIDE // 2
    gradients = {}
    for how in ("ignore", "punish"):
        sample, descriptors = drawn(batch)
        conf = replace(CONF, padding=how, penalty=0.0)
        loss = RIPEObjective(conf, steps=10).loss(sample, descriptors, batch, 10)
        loss.total.backward()
        gradients[how] = sample.log_probability.grad[0]
    assert (gradients["ignore"][left] == 0).all()
    assert (gradients["punish"][left] > 0).all()
    for gradient in gradients.values():
        assert (gradient[~left] < 0).all()


def test_points_at_the_border_are_not_used() -> None:
    batch = pair(positive=True)
    sample, descriptors = drawn(batch)
    loss = RIPEObjective(replace(CONF, border=16), steps=10).loss(sample, descriptors, batch, 0)
    # 16 px are two cells at each side, less what a shift of up to 6 px brings in or out.
    assert 56 <= loss.scalars["points"] <= (SIDE - 4) ** 2


def test_costs_are_ramped_up() -> None:
    batch = pair(positive=True)
    conf = replace(CONF, point_cost=0.5, penalty=0.0)
    for step, weight in ((0, 0.0), (5, 0.25), (10, 0.5), (30, 0.5)):
        sample, descriptors = drawn(batch)
        loss = RIPEObjective(conf, steps=30).loss(sample, descriptors, batch, step)
        # -(-weight * mean log-probability), for both images
        assert loss.scalars["point_cost"].item() == pytest.approx(2 * weight * -1.0)


def test_the_descriptor_learns_from_the_matches() -> None:
    batch = pair(positive=False)
    sample, descriptors = drawn(batch)
    conf = replace(CONF, descriptor_weight=5.0)
    loss = RIPEObjective(conf, steps=10).loss(sample, descriptors, batch, 0)
    # The matches of this negative pair are equal: each is 0.2 too near.
    assert loss.scalars["descriptor"].item() == pytest.approx(0.2, abs=1e-4)
    weighted = 5 * loss.scalars["descriptor"] + loss.scalars["policy"]
    assert loss.total.item() == pytest.approx(weighted.item(), rel=1e-5)


def test_images_and_network_are_checked() -> None:
    objective = RIPEObjective(CONF)
    images, inside = torch.zeros(1, 3, 60, 64), torch.ones(1, 60, 64, dtype=torch.bool)
    odd = LabelledBatch(images, images, inside, inside, torch.tensor([True]))
    with pytest.raises(ConfigError, match="64×60 px cannot be cut into cells"):
        objective(RIPENano(), odd, 0)
    with pytest.raises(ConfigError, match=r"Nano makes no descriptors.*--network"):
        objective.check_network(Nano())


def test_the_command_trains_on_folders(tmp_path: Path) -> None:
    places = write_places(tmp_path / "places")
    command = f"train ripe --data folders --places {places} --preset ripe-nano --steps 2"
    options = f"--batch 2 --validate-every 0 --tracker none --device cpu --run {tmp_path / 'run'}"
    assert cli.main([*command.split(), *options.split()]) == 0
    conf = json.loads((tmp_path / "run" / "conf.json").read_text())
    assert conf["objective"]["name"] == "ripe"
    assert conf["data"]["places"] == str(places)
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert {"policy", "descriptor", "skipped", "points"} <= lines[-1].keys()


def test_presets_of_other_objectives_are_refused(tmp_path: Path, capsys) -> None:
    command = ["train", "ripe", "--preset", "nano", "--photos", ".", "--run", str(tmp_path)]
    assert cli.main([*command, "--data", "homography"]) == 1
    assert "is one of `train rl`, not of `train ripe`" in capsys.readouterr().err


def test_the_preset_is_the_publication() -> None:
    paper = PRESETS["ripe"]
    assert (paper.network, paper.data.size, paper.data.batch) == ("ripe", 560, 6)
    assert paper.data.max_pairs == 10_000
    assert paper.data.positive == 0.5
    assert paper.loop.steps * paper.loop.accumulate == 80_000
    assert (paper.loop.learning_rate, paper.loop.weight_decay) == (1e-3, 1e-5)
    assert paper.loop.learning_rate * paper.loop.final_rate == pytest.approx(1e-6)
    assert (paper.loop.schedule, paper.loop.clip, paper.loop.bf16) == ("linear", 0, True)
    objective = paper.objective
    assert (objective.penalty, objective.point_cost, objective.ramp) == (1e-7, 7e-7, 1 / 3)
    assert (objective.margin, objective.negative_margin) == (0.2, 0.2)
    assert (objective.descriptor_weight, objective.min_points) == (5.0, 16)


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_keypoints_and_descriptors_emerge_from_labels_alone(photos: Path, tmp_path: Path) -> None:
    """A toy run: more is matched, and more of it rightly, than at its beginning."""
    nano = PRESETS["ripe-nano"]
    data = replace(nano.data, size=96, batch=4, rotation_deg=0.0, scale=1.05, perspective=0.02)
    loop = replace(nano.loop, steps=60, validate_every=5, save_every=60, ema_decay=0.9, log_every=5)
    validation = replace(nano.validation, batches=2)
    # The preset's weight of the descriptor takes hundreds of steps to pay.
    objective = replace(nano.objective, descriptor_weight=5.0)
    conf = replace(nano, data=data, objective=objective, loop=loop, validation=validation)
    train(conf, [photos], tmp_path, validation=[photos], device="cpu", tracker="none")
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    first, last = lines[0], lines[-1]
    assert last["matching"] > first["matching"] + 0.02, (first, last)
    assert last["repeatability"] > first["repeatability"], (first, last)
    assert math.isfinite(last["loss"])
