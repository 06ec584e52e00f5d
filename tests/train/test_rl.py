from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from known_pairs import SIZE, blobs, hills, same_view

from dad_sfm.core.config import ConfigError
from dad_sfm.train.objectives.rl import RLConf, RLObjective, _coverage_loss, window_values
from dad_sfm.train.objectives.sampling import SamplingConf

CONF = RLConf(
    sampling=SamplingConf(keypoints=(12, 12), nms_size=9, balance=0.0),
    hit="mutual",
    regulariser_weight=0.0,
)


def peaks(points: list[tuple[int, int]]) -> torch.Tensor:
    return hills(points).requires_grad_()


def test_repeated_points_rise_and_others_fall():
    shared, alone = (20, 20), (44, 44)
    a, b = peaks([shared, alone]), peaks([shared])
    loss = RLObjective(CONF).loss(a, b, same_view(), 0)
    loss.total.backward()
    # The step goes down the gradient: it raises what has a negative one.
    assert a.grad[0, 0, shared[1], shared[0]] < 0
    assert a.grad[0, 0, alone[1], alone[0]] > 0
    assert loss.scalars["hit_rate"].item() == pytest.approx(0.75, abs=0.02)


def test_the_policy_term_is_zero_where_the_policy_is_the_reward():
    alike = [(20, 20), (44, 44)]
    one, both = (
        RLObjective(CONF).loss(peaks(alike), peaks(there), same_view(), 0).scalars["policy"].item()
        for there in (alike[:1], alike)
    )
    assert both == pytest.approx(0, abs=1e-4)
    assert one > 0.1


def test_the_policy_term_pulls_as_reward_times_log_probability_does():
    """A softmax over two equal points of which one is found again: its share is to be all."""
    a, b = peaks([(20, 20), (44, 44)]), peaks([(20, 20)])
    RLObjective(replace(CONF, policy_reduction="sum")).loss(a, b, same_view(), 0).total.backward()
    # Divided by the hit rate the reward is (2, 0), and from B, where all is found, it has no pull.
    found, lost = (a.grad[0, 0, y, x].item() for x, y in ((20, 20), (44, 44)))
    assert (found, lost) == (pytest.approx(-1, abs=0.05), pytest.approx(1, abs=0.05))


def test_the_papers_policy_term_is_a_sum_over_all_points_of_the_batch_both_ways():
    seen, moved = [(20, 20), (44, 44)], [(20, 20), (45, 44)]
    terms = {
        how: RLObjective(replace(CONF, policy_reduction=how))
        .loss(peaks(seen), peaks(moved), same_view(), 0)
        .scalars["policy"]
        for how in ("mean", "sum")
    }
    assert terms["sum"] == pytest.approx(2 * len(seen) * terms["mean"].item())


@pytest.mark.parametrize("sizes", [{"window_size": 8}, {"regulariser_taps": 50}])
def test_windows_without_a_middle_are_refused(sizes):
    with pytest.raises(ConfigError, match="not an odd number of pixels"):
        RLConf(**sizes)


def test_the_radius_of_a_hit_is_in_normalised_coordinates():
    """0.05 of half of 64 pixels is 1.6; any number of points may hit the same one."""
    objective = RLObjective(RLConf(hit="nearest", hit_radius=0.05))
    distance = torch.tensor([[[1.5, 9.0], [1.7, 9.0], [0.0, 2.0]]])
    assert objective._hits(distance, size=64).tolist() == [[1, 0, 1]]


def test_the_window_term_is_measured_from_a_detector_that_prefers_nothing():
    conf = replace(CONF, policy_weight=0.0, window_weight=1.0)
    flat, peaked = (
        RLObjective(conf).loss(logits, logits.detach(), same_view(), 0).scalars["window"].item()
        for logits in (1e-3 * peaks([(20, 20)]), peaks([(20, 20)]))
    )
    assert flat == pytest.approx(0, abs=0.01)
    assert peaked < -0.5


def test_the_window_term_sharpens_a_hit():
    conf = replace(CONF, policy_weight=0.0, window_weight=1.0)
    a, b = peaks([(20, 20)]), peaks([(20, 20)])
    RLObjective(conf).loss(a, b, same_view(), 0).total.backward()
    assert a.grad[0, 0, 20, 20] < 0
    assert (a.grad[0, 0, 20, 21:24] > 0).all()


def test_localisation_pulls_partners_together():
    conf = replace(CONF, policy_weight=0.0, localisation_weight=1.0)
    a, b = peaks([(20, 20)]), peaks([(22, 20)])
    before = RLObjective(conf).loss(a, b, same_view(), 0)
    assert before.scalars["localisation"].item() == pytest.approx(2, abs=0.1)
    before.total.backward()
    # Right of the peak of A rises, left of it falls; the other way round in B.
    assert a.grad[0, 0, 20, 21] < 0 < a.grad[0, 0, 20, 19]
    assert b.grad[0, 0, 20, 21] < 0 < b.grad[0, 0, 20, 23]


def test_the_regulariser_treats_mask_and_policy_alike_at_the_borders():
    """A uniform policy under a full mask is exactly what it asks for, borders included."""
    logits = torch.zeros(1, 1, SIZE, SIZE, requires_grad=True)
    full = torch.ones(1, SIZE, SIZE, dtype=torch.bool)
    loss = _coverage_loss(logits, full, RLConf())
    assert loss.item() == pytest.approx(0, abs=1e-5)
    at_rest = torch.autograd.grad(loss, logits)[0].abs().max()
    half = full.clone()
    half[..., SIZE // 2 :] = False
    pull = torch.autograd.grad(_coverage_loss(logits, half, RLConf()), logits)[0]
    assert at_rest < 1e-3 * pull.abs().max()
    assert (pull[0, 0, :, : SIZE // 4] < 0).all()
    assert (pull[0, 0, :, -SIZE // 4 :] > 0).all()


def convolved(maps: torch.Tensor, *, swapped: bool = False) -> torch.Tensor:
    """The regulariser's blur as two convolutions; ``swapped`` pads each along the other's axis,
    as the public code does with the policy: 25 columns at each side become zeros."""
    taps = torch.exp(-2 * torch.linspace(-1, 1, 51) ** 2)
    taps = taps / taps.sum()
    along_x, along_y = ((25, 0), (0, 25)) if swapped else ((0, 25), (25, 0))
    maps = F.conv2d(maps, taps.view(1, 1, 1, -1), padding=along_x)
    return F.conv2d(maps, taps.view(1, 1, -1, 1), padding=along_y)


def divergence_of_blurs(logits: torch.Tensor, mask: torch.Tensor, *, swapped: bool) -> float:
    """The readable twin of the regulariser."""
    policy = logits.flatten(1).softmax(dim=1).view_as(logits)
    wanted = convolved(mask[:, None].float()).flatten(1)
    found = convolved(policy, swapped=swapped).flatten(1)
    wanted, found = (each / each.sum(dim=1, keepdim=True) for each in (wanted, found))
    terms = wanted * (wanted / found.clamp(min=1e-12)).log().nan_to_num()
    return terms.sum(dim=1).mean().item()


@pytest.mark.parametrize("way", ["across", "down"])
def test_the_regulariser_pads_along_the_axis_that_it_blurs(way):
    """Policy and mask lean to one side, so that mixed-up axes or paddings would show."""
    ramp = torch.linspace(-1, 1, SIZE).expand(1, 1, SIZE, SIZE)
    logits = (ramp if way == "across" else ramp.mT).contiguous()
    mask = logits[:, 0] > -0.5
    found = _coverage_loss(logits, mask, RLConf()).item()
    assert found == pytest.approx(divergence_of_blurs(logits, mask, swapped=False), rel=1e-3)
    # More than half of the mask lies on columns that swapped padding sets to zero.
    assert divergence_of_blurs(logits, mask, swapped=True) > found + 1


def test_windows_are_what_a_slice_gives():
    maps = torch.rand(2, 30, 40)
    pixels = torch.tensor([[[10, 7], [0, 0]], [[39, 29], [20, 15]]])
    values = window_values(maps, pixels, 5).view(2, 2, 5, 5)
    assert torch.equal(values[0, 0], maps[0, 5:10, 8:13])
    assert torch.equal(values[0, 1, 2:, 2:], maps[0, :3, :3])
    assert values[0, 1, :2].isinf().all()
    assert torch.equal(values[1, 1], maps[1, 13:18, 18:23])


def test_a_pair_without_overlap_is_no_nan():
    batch = same_view()
    nowhere = torch.zeros_like(batch.valid_a)
    batch = replace(batch, valid_a=nowhere, valid_b=nowhere)
    a, b = peaks([(20, 20)]), peaks([(30, 30)])
    conf = replace(CONF, regulariser_weight=1.0, window_weight=1.0, localisation_weight=1.0)
    loss = RLObjective(conf).loss(a, b, batch, 0)
    loss.total.backward()
    assert loss.total.isfinite()
    assert a.grad.isfinite().all()


@pytest.mark.parametrize(("polarity", "rises"), [("light", [True, False]), ("dark", [False, True])])
def test_only_the_wanted_polarity_is_rewarded(polarity, rises):
    light, dark = (20, 20), (44, 44)
    batch = same_view(images=blobs([light], [dark]))
    conf = replace(CONF, polarity=polarity, sampling=replace(CONF.sampling, keypoints=(2, 2)))
    a, b = peaks([light, dark]), peaks([light, dark])
    loss = RLObjective(conf).loss(a, b, batch, 0)
    loss.total.backward()
    assert [a.grad[0, 0, y, x].item() < 0 for x, y in (light, dark)] == rises
    assert loss.scalars["hit_rate"].item() == pytest.approx(0.5, abs=0.02)
    assert loss.scalars["light"].item() == pytest.approx(0.5)
