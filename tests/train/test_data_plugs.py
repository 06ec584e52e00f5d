"""What every data plug promises, asked of each of them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from dad_sfm import cli
from dad_sfm.core.config import ConfigError
from dad_sfm.train.data.batch import Data, warp_points
from dad_sfm.train.data.depth_pairs import DepthSource
from dad_sfm.train.data.homography_pairs import HomographyConf, HomographyPairs
from dad_sfm.train.data.megadepth_pairs import MegaDepthConf, MegaDepthPairs
from dad_sfm.train.data.photometric import Photometric
from dad_sfm.train.data.plugs import PAIRS, data_conf, make_data
from dad_sfm.train.data.rendered_pairs import RenderedConf, RenderedPairs, usable_pairs
from dad_sfm.train.presets import PRESETS

CPU = torch.device("cpu")
SIZE = 96
AS_THEY_ARE = Photometric(0, 0, 0, 0, 0, 0, 0, 0)

Make = Callable[..., Data]


@pytest.fixture(params=["homography", "rendered", "megadepth"])
def make(request: pytest.FixtureRequest, photos: Path, bank: RenderedConf, megadepth: Path) -> Make:
    """Makes the plug with a seed; images as they are unless another augmentation is given."""

    def plug(seed: int, photometric: Photometric = AS_THEY_ARE) -> Data:
        if request.param == "homography":
            conf = HomographyConf(size=SIZE, batch=4, photometric=photometric)
            return HomographyPairs([photos], conf, seed=seed)
        if request.param == "rendered":
            return RenderedPairs([photos], replace(bank, photometric=photometric), seed=seed)
        small = MegaDepthConf(
            size=SIZE, batch=4, shift_px=8, megadepth=str(megadepth), photometric=photometric
        )
        return MegaDepthPairs([], small, seed=seed)

    return plug


def test_shapes_and_ranges(make: Make) -> None:
    batch = make(0, Photometric()).batch(0).to(CPU)
    for images in (batch.images_a, batch.images_b):
        assert images.shape == (4, 3, SIZE, SIZE)
        assert images.dtype == torch.float32
        assert images.min() >= 0
        assert images.max() <= 1
    for warp, valid in ((batch.b_from_a, batch.valid_a), (batch.a_from_b, batch.valid_b)):
        assert warp.shape == (4, SIZE, SIZE, 2)
        assert warp.dtype == torch.float32
        assert warp.isfinite().all()
        assert valid.dtype == torch.bool
        assert (warp[valid].abs() < 1).all()


def test_the_warp_carries_one_view_onto_the_other(make: Make) -> None:
    batch = make(1).batch(0).to(CPU)
    for here, there, warp, valid in (
        (batch.images_a, batch.images_b, batch.b_from_a, batch.valid_a),
        (batch.images_b, batch.images_a, batch.a_from_b, batch.valid_b),
    ):
        seen = F.grid_sample(there, warp, align_corners=False)
        gap = (seen - here).abs().mean(dim=1)
        others = (seen.roll(1, dims=0) - here).abs().mean(dim=1)
        assert valid.float().mean() > 0.2
        # Twice interpolated edges differ a little; other scenes differ a lot.
        assert gap[valid].mean() < 0.05
        assert gap[valid].mean() < 0.4 * others[valid].mean()


def test_points_carried_there_and_back_return(make: Make) -> None:
    batch = make(1).batch(3).to(CPU)
    points = torch.rand(4, 400, 2, generator=torch.Generator().manual_seed(0)) * (SIZE - 1)
    there, seen = warp_points(points, batch.b_from_a, batch.valid_a)
    back, seen_back = warp_points(there, batch.a_from_b, batch.valid_b)
    both = seen & seen_back
    assert both.sum() > 150
    error = (back - points)[both].norm(dim=-1)
    assert error.median() < 0.02
    # At creases of a scene a warp is read between two surfaces.
    assert error.quantile(0.9) < 0.3


def test_a_step_depends_on_seed_and_step_alone(make: Make) -> None:
    first, again = make(5, Photometric()), make(5, Photometric())
    first.batch(0)
    seven, twin = first.batch(7).to(CPU), again.batch(7).to(CPU)
    assert torch.equal(seven.images_b, twin.images_b)
    assert torch.equal(seven.b_from_a, twin.b_from_a)
    for other in (first.batch(8), make(6, Photometric()).batch(7)):
        assert not torch.equal(seven.images_b, other.to(CPU).images_b)
        assert not torch.equal(seven.b_from_a, other.to(CPU).b_from_a)


def test_options_choose_the_plug_and_its_values() -> None:
    nano, paper = PRESETS["nano"].data, PRESETS["paper"].data
    assert data_conf(PAIRS, "homography", nano, batch=None) == nano
    rendered = data_conf(
        PAIRS, "rendered", nano, bank="here", scenes=7, rotation_deg=0.0, batch=None
    )
    assert rendered == RenderedConf(size=256, batch=8, bank="here", scenes=7, rotation_deg=0.0)
    assert data_conf(PAIRS, "megadepth", paper) == MegaDepthConf()
    with pytest.raises(ConfigError, match="--scenes does not go with --data homography"):
        data_conf(PAIRS, "homography", nano, scenes=3)


def test_a_configuration_makes_its_plug(photos: Path, bank: RenderedConf, megadepth: Path) -> None:
    small = MegaDepthConf(size=SIZE, megadepth=str(megadepth))
    for conf, plug in (
        (HomographyConf(size=SIZE), HomographyPairs),
        (bank, RenderedPairs),
        (small, MegaDepthPairs),
    ):
        assert type(make_data(PAIRS, conf, [photos], 0)) is plug


def test_pairs_of_a_bank_are_those_that_overlap() -> None:
    shares = np.array([[1, 0.5, 0.2], [0.4, 1, 0.1], [0.6, 0.0, 1]])
    assert usable_pairs(shares, 0.3).tolist() == [[0, 1]]
    assert usable_pairs(shares, 0.15).tolist() == [[0, 1], [0, 2]]
    assert usable_pairs(shares, 0.9).tolist() == [[0, 1]]  # none does: the best one


@pytest.mark.slow
@pytest.mark.parametrize("data", ["rendered", "megadepth"])
def test_the_command_line_trains_on_it(
    data: str, photos: Path, megadepth: Path, tmp_path: Path
) -> None:
    asked = {
        "rendered": ["--photos", photos, "--bank", tmp_path / "bank", "--scenes", "1"],
        "megadepth": ["--megadepth", megadepth, "--validation", photos],
    }
    options = ["--data", data, *asked[data], "--preset", "smoke", "--steps", "1", "--batch", "1"]
    command = ["train", "rl", *options, "--run", tmp_path / "run", "--device", "cpu"]
    assert cli.main([str(word) for word in command]) == 0
    assert (tmp_path / "run" / "weights.safetensors").is_file()


@pytest.mark.slow
def test_mixed_draws_its_batches_from_both(photos: Path, tmp_path: Path) -> None:
    """Also at even numbers and at odd ones, which is what each of two processes is given."""
    given = {"batch": 1, "bank": str(tmp_path / "bank"), "scenes": 1}
    conf = replace(
        data_conf(PAIRS, "mixed", HomographyConf(size=SIZE), rotation_deg=0.0, **given), days=0
    )
    mixed = make_data(PAIRS, conf, [photos], 3)
    alone = HomographyPairs([photos], HomographyConf(size=SIZE, batch=1, rotation_deg=0.0), seed=3)
    rendered = RenderedPairs(
        [photos], RenderedConf(size=SIZE, rotation_deg=0.0, days=0, **given), seed=3
    )
    kinds = []
    for step in range(16):
        kinds.append(type(mixed.batch(step)) is DepthSource)
        ours, theirs = (
            each.batch(step).to(CPU) for each in (mixed, rendered if kinds[-1] else alone)
        )
        assert torch.equal(ours.images_a, theirs.images_a)
        assert torch.equal(ours.b_from_a, theirs.b_from_a)
    for some in (kinds[::2], kinds[1::2]):
        assert {True, False} == set(some)
    all_of_them = make_data(PAIRS, replace(conf, rendered=1.0), [photos], 3)
    assert all(type(all_of_them.batch(step)) is DepthSource for step in range(16))
    # What a run is judged by are homographies, whatever it is trained on.
    assert type(data_conf(PAIRS, "homography", conf)) is HomographyConf
