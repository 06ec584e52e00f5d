"""COLMAP's SIFT: its frame, its order, its descriptors."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from dad_sfm.core.config import ConfigError
from dad_sfm.detectors import DETECTORS

H, W = 90, 120


def make(**options: object):
    return DETECTORS.make({"name": "sift", **options})


def blob(px: float, py: float, sigma: float) -> Tensor:
    y, x = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
    dot = torch.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * sigma**2))
    return (0.2 + 0.6 * dot).expand(1, 3, H, W)


@pytest.fixture(scope="module")
def texture() -> Tensor:
    coarse = torch.rand(1, 3, 30, 40, generator=torch.Generator().manual_seed(0))
    return interpolate(coarse, size=(H, W), mode="bicubic").clamp(0, 1)


@pytest.mark.parametrize("first_octave", [-1, 0])
@pytest.mark.parametrize(("px", "py"), [(50.0, 40.0), (61.25, 33.5)])
def test_a_blob_is_found_at_its_centre(first_octave: int, px: float, py: float) -> None:
    """Pixel-index frame: the centre of the top-left pixel is (0, 0)."""
    (found,) = make(first_octave=first_octave)(blob(px, py, 3.0))
    assert (found.keypoints_px[0] - torch.tensor([px, py])).abs().max() < 0.05
    assert 2 < float(found.scores[0]) < 4.5  # the scale


def test_the_largest_are_kept_in_order(texture: Tensor) -> None:
    (everything,) = make()(texture)
    n = len(everything.scores)
    assert n > 40
    assert (everything.scores.diff() <= 0).all()
    (few,) = make(max_keypoints=20)(texture)
    assert few.keypoints_px.shape == (20, 2)
    torch.testing.assert_close(few.scores, everything.scores[:20])


def test_descriptors_are_rootsift(texture: Tensor) -> None:
    (found,) = make()(texture)
    torch.testing.assert_close(found.descriptors.norm(dim=1), torch.ones(len(found.scores)))
    assert (found.descriptors >= 0).all()
    # Squares of RootSIFT sum to 1 by cells; plain SIFT cuts every entry at 0.2 or little more.
    assert found.descriptors.max() < 0.6
    (again,) = make()(texture * 0.5 + 0.25)  # light does not matter
    nearest = (found.descriptors @ again.descriptors.T).amax(dim=1)
    assert nearest.median() > 0.98


def test_one_orientation_means_one_keypoint_a_place(texture: Tensor) -> None:
    (two,) = make()(texture)
    (one,) = make(max_num_orientations=1)(texture)
    places = {tuple(p) for p in two.keypoints_px.tolist()}
    assert len(places) < len(two.scores)
    assert len({tuple(p) for p in one.keypoints_px.tolist()}) == len(one.scores)
    assert len(one.scores) == len(places)


@pytest.mark.parametrize("option", [{"peak_threshold": 0.05}, {"edge_threshold": 2.0}])
def test_thresholds_reach_colmap(texture: Tensor, option: dict) -> None:
    assert len(make(**option)(texture)[0].scores) < len(make()(texture)[0].scores)


def test_upright_descriptors_notice_a_turn(texture: Tensor) -> None:
    turned = torch.rot90(texture, 1, (2, 3))
    similarity = {}
    for upright in (True, False):
        find = make(upright=upright)
        (a,), (b,) = find(texture), find(turned)
        similarity[upright] = (a.descriptors @ b.descriptors.T).amax(dim=1).median()
    assert similarity[False] > 0.97
    assert similarity[True] < similarity[False] - 0.1


def test_batches_and_blank_images(texture: Tensor) -> None:
    find = make()
    blank, found = find(torch.cat([torch.full((1, 3, H, W), 0.5), texture]))
    assert blank.keypoints_px.shape == (0, 2)
    assert blank.descriptors.shape == (0, 128)
    torch.testing.assert_close(found.keypoints_px, find(texture)[0].keypoints_px)


def test_mistakes_in_the_configuration_are_named() -> None:
    with pytest.raises(ConfigError, match="unknown key 'max_num_features'; known: max_keypoints"):
        make(max_num_features=3)
    with pytest.raises(ValueError, match="max_keypoints must be at least 1"):
        make(max_keypoints=0)


def test_orientations_turn_with_the_image_from_x_towards_y(texture: Tensor) -> None:
    """A quarter turn clockwise on the screen, where y points down, is +90 degrees."""
    find = make(max_keypoints=200)
    (a,), (b,) = find(texture), find(texture.rot90(-1, dims=(2, 3)).contiguous())
    similarity, match = (a.descriptors @ b.descriptors.T).max(dim=1)
    sure = similarity > 0.97
    assert sure.sum() > 30
    turn = (b.oris[match] - a.oris)[sure] % 360
    assert turn.median() == pytest.approx(90, abs=1)
    assert (b.scales[match] / a.scales)[sure].median() == pytest.approx(1, abs=0.01)
    assert torch.equal(a.scales, a.scores)
