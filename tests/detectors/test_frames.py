"""Hessian-Affine, Harris-Affine and Key.Net: where their points lie, and what describes them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from blobs import blob, corner, texture
from kornia import feature
from kornia_range import needs_kornia

from dad_sfm.detectors import DETECTORS
from dad_sfm.models.checkpoints import CheckpointError

pytestmark = needs_kornia("0.9")
WEIGHTLESS = ["hessian-affine", "harris-affine"]


def make(name: str, **options: object):
    return DETECTORS.make({"name": name, **options})


@pytest.fixture(scope="module")
def keynet_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint in the layout of the authors': the tensors are one entry of several."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "keynet_pytorch.pth"
    state = feature.KeyNet(pretrained=False).state_dict()
    state["last_conv.0.bias"].fill_(1)  # or the last ReLU might leave nothing
    torch.save({"epoch": 1, "state_dict": state}, path)
    return path


# ---------------------------------------------------------------------------------- places
@pytest.mark.parametrize("first_octave", [-1, 0])
@pytest.mark.parametrize("sigma", [2.0, 4.0])
@pytest.mark.parametrize(("H", "W"), [(90, 120), (97, 131)])
def test_hessian_finds_a_blob_at_its_centre(
    first_octave: int, sigma: float, H: int, W: int
) -> None:
    find = make("hessian-affine", first_octave=first_octave)
    (found,) = find(blob(H, W, 61.25, 43.5, sigma))
    assert len(found.scores) == 1
    assert (found.keypoints_px[0] - torch.tensor([61.25, 43.5])).abs().max() < 0.25


def test_harris_finds_a_corner() -> None:
    (found,) = make("harris-affine")(corner(96, 128, 70.25, 50.4))
    assert len(found.scores) >= 1
    # A corner's response peaks a little inside of it, and on a whole pixel.
    assert (found.keypoints_px[0] - torch.tensor([70.25, 50.4])).abs().max() < 1.0


@pytest.mark.parametrize("sigma", [2.0, 12.0])
def test_points_of_coarse_levels_are_not_shifted(keynet_file: Path, sigma: float) -> None:
    """kornia's own places are off by 1.5 px where a level is four times smaller."""
    find = make("keynet", weights=str(keynet_file), max_keypoints=1, describe=False)
    find._find.model = feature.BlobHessian()  # a response whose peak is known
    errors = []
    for offset in (0.0, 0.7, 1.4, 2.1, 2.8, 3.5):
        px, py = 100 + offset, 80.5 + offset
        (found,) = find(blob(160, 200, px, py, sigma))
        errors.append(found.keypoints_px[0] - torch.tensor([px, py]))
    assert torch.stack(errors).mean(dim=0).abs().max() < 0.75
    assert torch.stack(errors).abs().max() < (1.0 if sigma < 4 else 2.5)


@pytest.mark.parametrize("name", WEIGHTLESS)
def test_content_moved_by_whole_pixels_has_moved_points(name: str) -> None:
    image = texture(120, 160)
    find = make(name, describe=False)
    (before,), (after,) = find(image[..., :112, :152]), find(image[..., 8:, 8:])
    inner = before.keypoints_px[((before.keypoints_px - 75).abs() < 20).all(dim=1)]
    assert len(inner) > 5
    assert torch.cdist(inner - 8, after.keypoints_px).amin(dim=1).median() < 0.3


# ---------------------------------------------------------------------- scores and budgets
@pytest.mark.parametrize("name", WEIGHTLESS)
@pytest.mark.parametrize("grey", [0.0, 0.37, 0.5, 1.0])
def test_blank_images_have_no_points(name: str, grey: float) -> None:
    (found,) = make(name)(torch.full((1, 3, 64, 96), grey))
    assert found.keypoints_px.shape == (0, 2)
    assert found.descriptors.shape == (0, 128)


@pytest.mark.parametrize("name", WEIGHTLESS)
def test_budget_and_order(name: str) -> None:
    image = texture(96, 128)
    (everything,) = make(name, max_keypoints=5000)(image)
    n = len(everything.scores)
    assert 20 < n < 5000
    assert everything.keypoints_px.shape == (n, 2)
    assert (everything.scores.diff() <= 0).all()
    assert (everything.scores > 0).all()
    (few,) = make(name, max_keypoints=10)(image)
    torch.testing.assert_close(few.scores, everything.scores[:10])
    (strong,) = make(name, detection_threshold=float(few.scores[-1]))(image)
    assert len(strong.scores) == 9
    alone, _ = make(name, max_keypoints=10)(torch.cat([image, image.flip(2)]))
    torch.testing.assert_close(alone.keypoints_px, few.keypoints_px)


@pytest.mark.parametrize("name", WEIGHTLESS)
@pytest.mark.parametrize("side", [8, 17, 31])
def test_tiny_images_are_taken(name: str, side: int) -> None:
    (found,) = make(name)(torch.rand(1, 3, side, side))
    assert len(found.scores) == len(found.keypoints_px) == len(found.descriptors)


# ----------------------------------------------------------------------------- descriptors
@pytest.mark.parametrize("name", WEIGHTLESS)
def test_descriptors_turn_with_the_image_unless_upright(name: str) -> None:
    image = texture(120, 120)
    turned = torch.rot90(image, 1, (2, 3))
    similarity = {}
    for upright in (True, False):
        find = make(name, upright=upright)
        (a,), (b,) = find(image), find(turned)
        torch.testing.assert_close(a.descriptors.norm(dim=1), torch.ones(len(a.scores)))
        similarity[upright] = (a.descriptors @ b.descriptors.T).amax(dim=1).median()
    assert similarity[False] > 0.97
    assert similarity[True] < similarity[False] - 0.05


@pytest.mark.parametrize("name", WEIGHTLESS)
def test_without_descriptors_the_points_are_the_same(name: str) -> None:
    image = texture(96, 128)
    (with_them,), (without,) = make(name)(image), make(name, describe=False)(image)
    assert without.descriptors is None
    torch.testing.assert_close(without.keypoints_px, with_them.keypoints_px)


# --------------------------------------------------------------------------------- weights
def test_keynet_runs_from_a_file(keynet_file: Path) -> None:
    find = make("keynet", weights=str(keynet_file), max_keypoints=40)
    (found,) = find(texture(128, 160))
    assert 0 < len(found.scores) <= 40
    assert (found.scores.diff() <= 0).all()
    torch.testing.assert_close(found.descriptors.norm(dim=1), torch.ones(len(found.scores)))
    assert find.identity["name"] == "keynet"
    assert len(find.identity["weights"]) == 64


def test_keynet_refuses_another_network(keynet_file: Path, tmp_path: Path) -> None:
    torch.save({"state_dict": {"a": torch.zeros(1)}}, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match=r"other.pth: not a checkpoint of keynet; missing"):
        make("keynet", weights=str(tmp_path / "other.pth"))


@pytest.mark.usefixtures("no_weights")
def test_keynet_says_where_its_weights_are() -> None:
    with pytest.raises(CheckpointError, match=r"Key.Net-Pytorch/.*/keynet_pytorch.pth .*'weights'"):
        make("keynet")


@pytest.mark.parametrize("name", WEIGHTLESS)
def test_mistakes_in_the_configuration_are_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: max_keypoints must be at least 1"):
        make(name, max_keypoints=0)
    with pytest.raises(ValueError, match=f"{name}: .* detection_threshold at least 0"):
        make(name, detection_threshold=-1.0)
