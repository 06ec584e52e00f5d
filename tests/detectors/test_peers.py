"""DISK, XFeat and DeDoDe from kornia, on random weights saved as their authors save them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from blobs import grid, texture
from kornia import feature
from kornia.feature.dedode.dedode_models import get_descriptor, get_detector
from kornia_range import needs_kornia

from dad_sfm.descriptors import DESCRIPTORS
from dad_sfm.detectors import DETECTORS
from dad_sfm.models.checkpoints import FOLDER_VARIABLE, CheckpointError
from dad_sfm.models.kornia_version import has_kornia

XFEAT_KORNIA = "0.8.3"
needs_xfeat = needs_kornia(XFEAT_KORNIA)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published files by their names, in their layouts."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights")
    disk = {"extractor": feature.DISK().state_dict(), "epoch": 7}
    torch.save(disk, path / "depth-save.pth")
    torch.save(disk["extractor"], path / "epipolar-save.pth")  # and bare, as users keep them
    if has_kornia(XFEAT_KORNIA):
        torch.save(feature.XFeat().net.state_dict(), path / "xfeat.pt")
    torch.save(get_detector("L").state_dict(), path / "dedode_detector_L_v2.pth")
    torch.save(get_descriptor("B").state_dict(), path / "dedode_descriptor_B.pth")
    return path


@pytest.fixture
def published(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))


def make(name: str, **options: object):
    return DETECTORS.make({"name": name, **options})


# ---------------------------------------------------------------------------------- places
PLACES = torch.tensor([[10.0, 20.0], [50.0, 8.0], [30.0, 31.0]])


def peaks(H: int, W: int) -> torch.Tensor:
    score = torch.zeros(H, W)
    for height, (px, py) in zip((9.0, 8.0, 7.0), PLACES.int().tolist(), strict=True):
        score[py, px] = height
    return score


@pytest.mark.slow
@pytest.mark.usefixtures("published")
def test_disk_points_are_where_the_heat_map_peaks() -> None:
    find = make("disk")
    H, W = 45, 61  # kornia pads to 48×64
    heat = torch.zeros(1, 1, 48, 64)
    heat[0, 0, :H, :W] = peaks(H, W)
    heat[0, 0, 46, 62] = 99.0  # in the padding
    heat[0, 0, 1, 1] = heat[0, 0, H - 2, 40] = 98.0  # their windows of 5×5 are cut by the border
    dense = torch.nn.functional.normalize(torch.randn(1, 128, 48, 64), dim=1)
    find._network.heatmap_and_dense_descriptors = lambda images: (heat, dense)
    (found,) = find(torch.zeros(1, 3, H, W))
    torch.testing.assert_close(found.keypoints_px, PLACES)
    torch.testing.assert_close(found.scores, torch.tensor([9.0, 8.0, 7.0]))
    torch.testing.assert_close(found.descriptors[0], dense[0, :, 20, 10])


@pytest.mark.slow
@needs_xfeat
@pytest.mark.usefixtures("published")
def test_xfeat_points_are_where_the_logits_peak() -> None:
    find = make("xfeat")
    H, W = 64, 64
    cells = peaks(H, W).reshape(8, 8, 8, 8).permute(1, 3, 0, 2).reshape(1, 64, 8, 8)
    logits = torch.cat([cells, torch.full((1, 1, 8, 8), 5.0)], dim=1)
    maps = torch.randn(1, 64, 8, 8), logits, torch.ones(1, 1, 8, 8)
    find._model.net.forward = lambda images: maps
    (found,) = find(torch.zeros(1, 3, H, W))
    torch.testing.assert_close(found.keypoints_px, PLACES)


@pytest.mark.slow
@pytest.mark.usefixtures("published")
def test_dedode_points_are_where_the_logits_peak() -> None:
    find = make("dedode-v2", max_keypoints=3, increase_coverage=False)
    H, W = 40, 64
    find._network.forward = lambda images: peaks(H, W)[None, None]
    (found,) = find(torch.zeros(1, 3, H, W))
    torch.testing.assert_close(found.keypoints_px, PLACES)
    assert found.descriptors is None


@pytest.mark.slow
@pytest.mark.usefixtures("published")
def test_dedode_describes_where_the_points_are() -> None:
    """The network is replaced by a map that tells where it was read, padding included."""
    describe = DESCRIPTORS.make({"name": "dedode-b"})
    seen = []

    def dense(images: torch.Tensor) -> torch.Tensor:
        H, W = images.shape[-2:]
        seen.append((W, H))
        x, y = grid(H, W)
        return torch.stack([x, y, torch.full_like(x, 100), *[torch.zeros_like(x)] * 253])[None]

    describe._network.forward = dense
    points = torch.tensor([[0.0, 0.0], [60.0, 44.0], [30.25, 20.75]])
    found = describe(torch.zeros(3, 45, 61), points)
    assert seen == [(64, 48)]
    torch.testing.assert_close(found.norm(dim=1), torch.ones(3))
    read = found[:, :2] / found[:, 2:3] * 100
    torch.testing.assert_close(read, points, atol=1e-3, rtol=0)


# ------------------------------------------------------------------- the networks themselves
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "dim", "options"),
    [
        ("disk", 128, {"detection_threshold": -1e9}),
        ("disk", 128, {"detection_threshold": -1e9, "variant": "epipolar"}),
        pytest.param("xfeat", 64, {"detection_threshold": 0.0}, marks=needs_xfeat),
        ("dedode-v2", None, {}),
    ],
)
@pytest.mark.usefixtures("published")
def test_budget_order_and_batch(name: str, dim: int | None, options: dict) -> None:
    image = texture(64, 96)
    find = make(name, **options, max_keypoints=10**6)
    many, other = find(torch.cat([image, image.flip(3)]))
    n = len(many.scores)
    assert 20 < n <= 64 * 96
    assert many.keypoints_px.shape == (n, 2)
    assert many.keypoints_px.dtype == many.scores.dtype == torch.float32
    assert (many.scores.diff() <= 0).all()
    inside = (many.keypoints_px >= 0) & (many.keypoints_px <= torch.tensor([95.0, 63.0]))
    assert inside.all()
    if dim is not None:
        assert many.descriptors.shape == (n, dim)
        torch.testing.assert_close(many.descriptors.norm(dim=1), torch.ones(n))
    (few,) = make(name, **options, max_keypoints=10)(image)
    torch.testing.assert_close(few.scores, many.scores[:10], atol=1e-6, rtol=1e-4)
    (alone,) = find(image.flip(3))
    torch.testing.assert_close(alone.scores[:10], other.scores[:10], atol=1e-6, rtol=1e-4)
    assert len(find.identity["weights"]) == 64
    assert find.identity.get("dim") == dim


@pytest.mark.slow
@pytest.mark.usefixtures("published")
def test_dedode_head_takes_any_points() -> None:
    describe = DESCRIPTORS.make({"name": "dedode-b"})
    image = texture(40, 64)[0, :, :37, :61]
    assert describe(image, torch.zeros(0, 2)).shape == (0, 256)
    found = describe(image, torch.tensor([[-0.5, -0.5], [60.5, 36.5], [12.3, 4.5]]))
    assert torch.isfinite(found).all()
    torch.testing.assert_close(found.norm(dim=1), torch.ones(3))
    assert describe.identity["name"] == "dedode-b"


# --------------------------------------------------------------------------------- weights
ADDRESSES = [
    (DETECTORS, "disk", "https://raw.githubusercontent.com/cvlab-epfl/disk/master/depth-save.pth"),
    pytest.param(
        DETECTORS,
        "xfeat",
        "https://github.com/verlab/accelerated_features/.*/xfeat.pt",
        marks=needs_xfeat,
    ),
    (DETECTORS, "dedode-v2", "https://github.com/Parskatt/DeDoDe/.*/v2/dedode_detector_L_v2.pth"),
    (DESCRIPTORS, "dedode-b", "https://github.com/Parskatt/DeDoDe/.*/dedode_descriptor_B.pth"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("registry", "name", "address"), ADDRESSES)
@pytest.mark.usefixtures("no_weights")
def test_weights_that_cannot_be_had_are_named_with_their_address(
    registry, name: str, address: str
) -> None:
    with pytest.raises(CheckpointError, match=f"{address} .*'weights'"):
        registry.make({"name": name})


@pytest.mark.slow
@pytest.mark.parametrize(("registry", "name", "address"), ADDRESSES)
def test_the_weights_of_another_network_are_refused(
    folder: Path, registry, name: str, address: str
) -> None:
    other = folder / ("dedode_detector_L_v2.pth" if name == "disk" else "depth-save.pth")
    with pytest.raises(CheckpointError, match=f"{other.name}: not a"):
        registry.make({"name": name, "weights": str(other)})


@pytest.mark.parametrize("name", ["disk", "xfeat", "dedode-v2"])
def test_mistakes_in_the_configuration_are_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: max_keypoints must be at least 1"):
        make(name, max_keypoints=0)
