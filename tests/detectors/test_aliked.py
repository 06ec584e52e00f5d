"""ALIKED: the shared loader, the descriptor head at foreign points, the detector and its frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from kornia_range import needs_kornia
from PIL import Image
from torch import Tensor

from dad_sfm.core.config import ConfigError
from dad_sfm.descriptors import DESCRIPTORS
from dad_sfm.detectors import DETECTORS
from dad_sfm.models.aliked import load_aliked
from dad_sfm.models.checkpoints import FOLDER_VARIABLE, CheckpointError

pytestmark = needs_kornia("0.8.3")


@pytest.fixture
def random_weights(tmp_path: Path) -> Path:
    """A checkpoint of the right shape, such as the authors' are: without kornia's constant."""
    from kornia.feature import ALIKED

    torch.manual_seed(0)
    state = ALIKED("aliked-n16").state_dict()
    del state["dkd.hw_grid"]
    torch.save(state, tmp_path / "random.pth")
    return tmp_path / "random.pth"


@pytest.fixture
def photo(shared: Path) -> Tensor:
    image = Image.open(shared / "scenes" / "fountain-P11" / "images" / "0005.jpg")
    pixels = np.asarray(image.resize((403, 269), Image.Resampling.BICUBIC))
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255


def head(weights: Path, **options: object):
    return DESCRIPTORS.make({"name": "aliked-n16", "weights": str(weights), **options})


def detector(weights: Path, **options: object):
    return DETECTORS.make({"name": "aliked-n16", "weights": str(weights), **options})


def distances(a: Tensor, b: Tensor) -> Tensor:
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def published(shared: Path, variant: str = "n16") -> Path:
    return shared / "weights" / f"aliked-{variant}.pth"


# ---------------------------------------------------------------------------------- loading
@pytest.mark.shared
@pytest.mark.parametrize(
    ("variant", "dim"), [("n16", 128), ("n16rot", 128), ("n32", 128), ("t16", 64)]
)
def test_published_weights_load_from_the_folder_of_the_user(
    shared: Path, monkeypatch: pytest.MonkeyPatch, variant: str, dim: int
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(shared / "weights"))
    describe = DESCRIPTORS.make({"name": "aliked-n16", "variant": variant})
    assert describe.identity["name"] == f"aliked-{variant}"
    assert len(describe.identity["weights"]) == 64
    found = describe(torch.rand(3, 64, 64), torch.rand(5, 2) * 60)
    assert found.shape == (5, dim) == (5, describe.identity["dim"])


@pytest.mark.shared
@pytest.mark.parametrize("name", ["aliked-n16", "aliked-n16rot", "aliked-n32"])
def test_variants_go_by_their_names(
    shared: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(shared / "weights"))
    for registry in (DESCRIPTORS, DETECTORS):
        assert registry.make({"name": name}).identity["name"] == name


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path, random_weights: Path) -> None:
    with pytest.raises(CheckpointError, match=r"random.pth: not a checkpoint of aliked-t16"):
        load_aliked("t16", str(random_weights))
    state = torch.load(random_weights, weights_only=True)
    state["surplus"] = state.pop("score_head.0.weight")
    torch.save(state, tmp_path / "b.pth")
    expected = r"missing: score_head.0.weight; unexpected: surplus"
    with pytest.raises(CheckpointError, match=expected):
        load_aliked("n16", str(tmp_path / "b.pth"))


@pytest.mark.usefixtures("no_weights")
def test_weights_that_cannot_be_had_are_named_with_their_address() -> None:
    address = "https://github.com/Shiaoming/ALIKED/raw/main/models/aliked-n16.pth"
    for registry in (DESCRIPTORS, DETECTORS):
        with pytest.raises(CheckpointError, match=f"{address}.*'weights'"):
            registry.make({"name": "aliked-n16"})


# --------------------------------------------------------------------------------- the head
def test_head_takes_any_points(random_weights: Path) -> None:
    describe = head(random_weights)
    image = torch.rand(3, 50, 70)
    assert describe(image, torch.zeros(0, 2)).shape == (0, 128)
    corners = torch.tensor([[0.0, 0.0], [69.0, 49.0], [-0.5, 49.5], [30.2, 20.7]])
    found = describe(image, corners)
    assert torch.isfinite(found).all()
    torch.testing.assert_close(found.norm(dim=1), torch.ones(4))


@pytest.mark.slow
@pytest.mark.shared
def test_head_at_the_points_of_the_detector_gives_its_descriptors(
    shared: Path, photo: Tensor
) -> None:
    (found,) = detector(published(shared), max_keypoints=200)(photo[None])
    described = head(published(shared))(photo, found.keypoints_px)
    torch.testing.assert_close(described, found.descriptors, atol=1e-4, rtol=0)


@pytest.mark.shared
def test_head_notices_where_a_point_is(shared: Path, photo: Tensor) -> None:
    """Content moved by whole pixels has the same descriptors at the moved points, no others."""
    describe = head(published(shared))
    window = photo[:, 20:212, 30:318]
    shifted = photo[:, 28:220, 42:330]
    points = torch.from_numpy(np.random.default_rng(0).uniform(60, 130, (50, 2))).float()
    offset = torch.tensor([12.0, 8.0])
    before = describe(window, points)
    same = (before * describe(shifted, points - offset)).sum(1)
    elsewhere = (before * describe(shifted, points)).sum(1)
    assert same.median() > 0.95
    assert elsewhere.median() < 0.8


# ------------------------------------------------------------------------------ the detector
def test_points_are_where_the_score_peaks(random_weights: Path) -> None:
    """The network is replaced by peaks at known places: what is left is the frame."""
    find = detector(random_weights, max_keypoints=10)
    H, W = 45, 61  # padded, on all four sides, by kornia
    places = torch.tensor([[10.0, 20.0], [50.25, 8.0], [30.0, 30.25]])
    y, x = torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij")
    score = torch.zeros(H, W)
    for height, (px, py) in zip((0.9, 0.8, 0.7), places, strict=True):
        score += height * torch.exp(-((x - px) ** 2 + (y - py) ** 2) / 2)
    features = torch.nn.functional.normalize(torch.rand(1, 128, H, W), dim=1)
    find._network.extract_dense_map = lambda images: (features, score[None, None])
    (found,) = find(torch.zeros(1, 3, H, W))
    assert found.keypoints_px.shape == (3, 2)
    assert (found.keypoints_px - places).abs().max() < 0.2
    assert (found.keypoints_px[0] - places[0]).abs().max() < 1e-3


@pytest.mark.shared
def test_padding_does_not_move_points(shared: Path, photo: Tensor) -> None:
    """Windows with one top left corner show the same points, whatever kornia pads around them."""
    find = detector(published(shared), max_keypoints=300)
    found = [find(photo[None, :, :H, :W])[0].keypoints_px for H, W in ((192, 256), (201, 270))]
    inner = found[0][((found[0] > 40) & (found[0] < torch.tensor([216.0, 152.0]))).all(dim=1)]
    assert len(inner) > 50
    assert distances(inner, found[1]).amin(dim=1).median() < 0.2


@pytest.mark.slow
@pytest.mark.shared
def test_budget_order_and_batch(shared: Path, photo: Tensor) -> None:
    find = detector(published(shared), max_keypoints=300)
    many, other = find(torch.stack([photo, photo.flip(2)]))
    assert len(many.keypoints_px) == len(many.scores) == len(many.descriptors) == 300
    assert (many.scores.diff() <= 0).all()
    few = detector(published(shared), max_keypoints=40)(photo[None])[0]
    assert len(few.scores) == 40
    assert distances(few.keypoints_px, many.keypoints_px).amin(dim=1).max() < 1e-2
    alone = find(photo.flip(2)[None])[0]
    torch.testing.assert_close(alone.keypoints_px, other.keypoints_px, atol=1e-3, rtol=0)


@pytest.mark.shared
def test_blank_images_and_thresholds(shared: Path, photo: Tensor) -> None:
    find = detector(published(shared), detection_threshold=0.5)
    (blank,) = find(torch.full((1, 3, 64, 96), 0.5))
    assert blank.keypoints_px.shape == (0, 2)
    assert blank.descriptors.shape == (0, 128)
    (found,) = find(photo[None])
    assert len(found.scores) > 0
    assert (found.scores > 0.5).all()


def test_mistakes_in_the_configuration_are_named(random_weights: Path) -> None:
    with pytest.raises(ConfigError, match="'n17' is not one of 'n16'"):
        detector(random_weights, variant="n17")
    with pytest.raises(ValueError, match=r"max_keypoints .* at least 1"):
        detector(random_weights, max_keypoints=0)
