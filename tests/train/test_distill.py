import itertools
import math
from dataclasses import replace

import pytest
import torch
from known_pairs import SIZE, blobs, hills, same_view
from safetensors.torch import save_file
from torch import nn

from dad_sfm import cli
from dad_sfm.core.config import ConfigError
from dad_sfm.models.checkpoints import CheckpointError
from dad_sfm.models.dad_weights import find_weights
from dad_sfm.models.imagenet import normalize
from dad_sfm.models.nano import Nano
from dad_sfm.train.data.homography_pairs import HomographyPairs
from dad_sfm.train.negative import negative
from dad_sfm.train.objectives.distill import DistillConf, DistillObjective, divergence
from dad_sfm.train.objectives.sampling import SamplingConf
from dad_sfm.train.objectives.teachers import Teachers, combined, load_any, log_policy
from dad_sfm.train.presets import PRESETS, distillation
from dad_sfm.train.runs import train

LIGHT, DARK = [(16, 16), (48, 16)], [(16, 48), (48, 48)]


class Fixed(nn.Module):
    """A teacher that has one answer."""

    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.logits = logits
        self.asked = 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.asked += 1
        return self.logits.expand(len(images), -1, -1, -1)


def two_teachers(**options) -> Teachers:
    return Teachers([Fixed(hills(LIGHT)), Fixed(hills(DARK))], "max", bf16=False, **options)


def maxima(log_p: torch.Tensor) -> set[tuple[int, int]]:
    """Places (x, y) that stand well above the uniform policy and above all in their 5×5 window."""
    best = torch.nn.functional.max_pool2d(log_p, 5, 1, 2)
    found = (log_p == best) & (log_p > -math.log(SIZE * SIZE) + 1)
    return {(int(x), int(y)) for y, x in found[0, 0].nonzero()}


def test_the_maximum_keeps_the_peaks_of_all():
    log_p = [log_policy(hills(LIGHT)), log_policy(hills(DARK))]
    assert maxima(combined(log_p, "max")) == {*LIGHT, *DARK}


def test_the_product_loses_what_one_teacher_alone_is_sure_of():
    near, far = [(16, 16), (20, 16)], [(20, 16), (48, 48)]
    log_p = [log_policy(hills(near)), log_policy(hills(far))]
    together = combined(log_p, "product")[0, 0].exp()
    assert together[16, 20] > 50 * together[16, 12]
    assert together[16, 20] > 50 * together[48, 48]


@pytest.mark.parametrize("how", ["max", "mean", "product"])
def test_what_is_combined_sums_to_one_and_the_order_does_not_matter(how):
    generator = torch.Generator().manual_seed(0)
    log_p = [log_policy(torch.randn(2, 1, 8, 8, generator=generator)) for _ in range(3)]
    each = [combined(order, how) for order in itertools.permutations(log_p)]
    assert torch.allclose(each[0].exp().sum(dim=(1, 2, 3)), torch.ones(2), atol=1e-5)
    assert all(torch.allclose(each[0], other, atol=1e-5) for other in each[1:])


def test_the_mean_is_the_mean():
    log_p = [log_policy(hills(LIGHT)), log_policy(hills(DARK))]
    expected = (log_p[0].exp() + log_p[1].exp()) / 2
    assert torch.allclose(combined(log_p, "mean").exp(), expected, atol=1e-7)


def test_a_low_temperature_gives_the_peaks_more_of_the_policy():
    logits = hills(LIGHT)
    plain, sharp = log_policy(logits).exp(), log_policy(logits, 0.5).exp()
    x, y = LIGHT[0]
    assert sharp[0, 0, y, x] > 2 * plain[0, 0, y, x]
    assert torch.allclose(sharp, log_policy(2 * logits).exp())


@pytest.mark.parametrize("temperature", ["0", "-0.5", "nan", "inf"])
def test_a_temperature_that_is_none_is_refused(temperature, tmp_path, capsys):
    with pytest.raises(ConfigError, match="not a number above 0"):
        DistillConf(temperature=float(temperature))
    folder = str(tmp_path)
    command = ["train", "distil", "--photos", folder, "--run", folder, "--teachers", "none"]
    assert cli.main([*command, f"--temperature={temperature}"]) != 0
    assert f"temperature: {float(temperature)} is not a number above 0" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


def test_divergence_of_known_distributions():
    a = torch.tensor([0.5, 0.25, 0.125, 0.125]).log().view(1, 1, 2, 2)
    b = torch.full((1, 1, 2, 2), math.log(0.25))
    # log 4 minus the entropy 1.75 log 2
    assert divergence(a, b).item() == pytest.approx(0.25 * math.log(2), abs=1e-6)
    assert divergence(a, a).item() == pytest.approx(0, abs=1e-7)


def test_the_step_raises_what_the_teachers_have():
    student = hills([LIGHT[0], (32, 32)]).requires_grad_()
    objective = DistillObjective(
        DistillConf(sampling=SamplingConf((4, 4), 9)), teachers=two_teachers()
    )
    loss = objective.loss(student, student, same_view(images=blobs(LIGHT, DARK)), 0)
    loss.total.backward()
    assert student.grad[0, 0, 48, 48] < 0
    assert student.grad[0, 0, 32, 32] > 0


def test_a_perfect_student_is_told_so():
    student = combined([log_policy(hills(LIGHT)), log_policy(hills(DARK))], "max")
    objective = DistillObjective(
        DistillConf(sampling=SamplingConf((4, 4), 9)), teachers=two_teachers()
    )
    loss = objective.loss(student, student, same_view(images=blobs(LIGHT, DARK)), 0)
    assert loss.total.item() == pytest.approx(0, abs=1e-5)
    assert loss.scalars["light"].item() == pytest.approx(0.5)
    assert loss.scalars["hit_rate"].item() == pytest.approx(1, abs=1e-3)


def test_student_and_teachers_have_their_entropies_at_the_same_temperature():
    student = hills(LIGHT)
    teachers = Teachers([Fixed(student)], "max", temperature=0.5)
    conf = DistillConf(temperature=0.5, sampling=SamplingConf((4, 4), 9))
    scalars = (
        DistillObjective(conf, teachers=teachers).loss(student, student, same_view(), 0).scalars
    )
    assert scalars["entropy"].item() == pytest.approx(scalars["entropy_teachers"].item(), abs=1e-4)


def test_a_teacher_is_asked_in_all_orientations():
    """Whatever way the image is turned this one sees a corner in the same place."""
    teacher = Fixed(hills([(16, 20)]))
    found = Teachers([teacher], "max", orientations=8, bf16=False).log_policy(
        torch.rand(1, 3, SIZE, SIZE)
    )
    assert teacher.asked == 8
    far = SIZE - 1
    upright = [(16, 20), (far - 16, 20), (16, far - 20), (far - 16, far - 20)]
    places = [*upright, *((y, x) for x, y in upright)]
    expected = log_policy(torch.stack([hills([place]) for place in places]).mean(dim=0))
    assert torch.allclose(found, expected, atol=1e-4)


def test_a_number_of_orientations_that_is_none_is_refused():
    with pytest.raises(ConfigError, match="3 is not one of 1, 2, 4, 8"):
        DistillConf(orientations=3)


def test_the_cache_answers_for_the_same_images_only(tmp_path):
    teachers = two_teachers(cache=tmp_path, identity="two")
    images = torch.rand(2, 3, SIZE, SIZE)
    first, again = teachers.log_policy(images), teachers.log_policy(images)
    assert [network.asked for network in teachers.networks] == [1, 1]
    assert torch.equal(first, again)
    assert torch.allclose(first.exp(), two_teachers().log_policy(images).exp(), rtol=0.02)
    teachers.log_policy(images.flip(0))
    assert [network.asked for network in teachers.networks] == [2, 2]
    other = two_teachers(cache=tmp_path, identity="two others")
    other.log_policy(images)
    assert other.networks[0].asked == 1


def test_teachers_of_different_networks(tmp_path):
    from dad_sfm.models.dad import DaD

    paths = []
    for network in (Nano(), DaD()):
        paths.append(tmp_path / f"{type(network).__name__}.safetensors")
        save_file({k: v.contiguous() for k, v in network.state_dict().items()}, paths[-1])
        assert type(load_any(paths[-1])[0]) is type(network)
    images = torch.rand(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    each = [Teachers.from_files([path], "max").log_policy(images) for path in paths]
    assert not torch.allclose(*each, atol=1e-3)
    both = Teachers.from_files(paths, "max").log_policy(images)
    assert torch.allclose(both, combined(each, "max"), atol=1e-4)
    save_file({"weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="none of the networks"):
        Teachers.from_files([tmp_path / "other.safetensors"], "max")
    with pytest.raises(CheckpointError, match="at least one"):
        Teachers.from_files([], "max")


def test_a_distillation_without_teachers_is_refused(photos, tmp_path):
    with pytest.raises(CheckpointError, match="at least one teacher"):
        train(distillation(PRESETS["smoke"]), [photos], tmp_path, device="cpu")


@pytest.mark.slow
def test_teachers_may_be_moved_but_not_changed(photos, tmp_path):
    smoke = PRESETS["smoke"]
    short = replace(smoke, loop=replace(smoke.loop, steps=1, validate_every=0))
    before, after = (tmp_path / name for name in ("a.safetensors", "b.safetensors"))
    before.write_bytes(find_weights("nano").read_bytes())

    def run(teacher):
        conf = distillation(short, teachers=[teacher])
        train(conf, [photos], tmp_path / "run", device="cpu", tracker="none")

    run(before)
    before.rename(after)
    run(after)
    save_file({k: v.contiguous() for k, v in Nano().state_dict().items()}, after)
    with pytest.raises(ConfigError, match=r"differs in objective\.teachers"):
        run(after)


@pytest.mark.slow
def test_a_student_learns_from_two_teachers(photos, tmp_path):
    """The whole thing for a quarter of a minute, judged on other views of the toy photos."""
    light = find_weights("nano")
    dark = tmp_path / "dark.safetensors"
    mirrored = negative(load_any(light)[0]).state_dict()
    save_file({name: value.contiguous() for name, value in mirrored.items()}, dark)
    conf = distillation(PRESETS["smoke"], teachers=[light, dark])
    objective = DistillObjective(conf.objective)
    batches = [
        HomographyPairs([photos], conf.data, seed=1000).batch(step).to(torch.device("cpu"))
        for step in range(4)
    ]

    def scores(network: nn.Module) -> dict[str, float]:
        each = []
        for batch in batches:
            with torch.no_grad():
                logits = [network(normalize(i)) for i in (batch.images_a, batch.images_b)]
            each.append(objective.loss(*logits, batch, 0).scalars)
        return {name: sum(float(s[name]) for s in each) / len(each) for name in each[0]}

    torch.manual_seed(conf.loop.seed)
    before = scores(Nano().eval())
    run = tmp_path / "run"
    student = train(conf, [photos], run, device="cpu")
    after = scores(load_any(student)[0].eval())
    # Seed 0: 0.94 -> 0.49 and 0.02 -> 0.28.
    assert after["loss"] < 0.8 * before["loss"]
    assert after["hit_rate"] > before["hit_rate"] + 0.1
