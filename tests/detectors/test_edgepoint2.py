"""EdgePoint2: the plug-in's frame and selection, the published weights on a real photo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from blobs import grid
from PIL import Image
from torch import nn
from torch.nn.functional import normalize

from dad_sfm.detectors import DETECTORS
from dad_sfm.models.edgepoint2 import VARIANTS, EdgePoint2


def make(weights: Path, **options: object):
    return DETECTORS.make({"name": "edgepoint2", "weights": str(weights), **options})


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of the smaller variant, saved as its authors save them."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "S64.pth"
    torch.save(EdgePoint2(VARIANTS["S64"]).state_dict(), path)
    return path


class Fixed(nn.Module):
    """A network whose answer is given."""

    def __init__(self, dense: torch.Tensor, logits: torch.Tensor) -> None:
        super().__init__()
        self.answer = dense, logits

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.answer


def test_points_are_the_peaks_and_descriptors_are_read_at_their_centres(weights: Path) -> None:
    find = make(weights, variant="S64", max_keypoints=3)
    H, W = 64, 96
    logits = torch.full((1, H, W), -9.0)
    for x, y, height in [
        (10, 20, 3.0),
        (12, 21, 2.0),  # within the radius of the first
        (50, 8, 1.0),
        (30, 60, 9.0),  # in the border
        (40, 40, -4.0),
        (70, 40, -6.0),  # below the threshold
        (80, 40, -4.5),  # one more than max_keypoints
    ]:
        logits[0, y, x] = height
    # Channels tell where in the image the descriptor was read: 4-px cells, centres 1.5, 5.5, ...
    x, y = grid(H // 4, W // 4)
    ramp = torch.stack([4 * x + 1.5, 4 * y + 1.5, torch.full_like(x, 100.0, dtype=torch.float32)])
    find._network = Fixed(ramp[None].float(), logits)
    (found,) = find(torch.rand(1, 3, H, W))
    expected = torch.tensor([[10.0, 20.0], [50.0, 8.0], [40.0, 40.0]])
    torch.testing.assert_close(found.keypoints_px, expected)
    torch.testing.assert_close(found.scores, torch.tensor([3.0, 1.0, -4.0]))
    read = torch.cat([expected, torch.full((3, 1), 100.0)], dim=1)
    torch.testing.assert_close(found.descriptors, normalize(read, dim=1))


def test_brightness_and_contrast_change_nothing(weights: Path) -> None:
    """The image is normalised by its own mean and spread."""
    network = EdgePoint2(VARIANTS["S64"]).eval()
    images = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        (dense, logits), (dim_dense, dim_logits) = network(images), network(0.5 * images + 0.2)
    torch.testing.assert_close(dense, dim_dense, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(logits, dim_logits, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("options", [{"max_keypoints": 0}, {"nms_radius": -1}, {"border": -1}])
def test_impossible_options_are_refused(weights: Path, options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="edgepoint2"):
        make(weights, variant="S64", **options)


@pytest.mark.shared
@pytest.mark.parametrize("variant", ["E64", "S64"])
def test_published_weights_find_a_photo_again_in_its_shifted_copy(
    shared: Path, variant: str
) -> None:
    find = make(shared / "weights" / f"edgepoint2-{variant}.pth", variant=variant)
    photo = Image.open(shared / "scenes" / "fountain-P11" / "images" / "0005.jpg")
    pixels = torch.from_numpy(np.array(photo.resize((480, 320)))).permute(2, 0, 1).float() / 255
    a, b = find(torch.stack([pixels[:, :288, :448], pixels[:, 32:, 32:]]))
    nearest = torch.cdist(a.descriptors, b.descriptors).argmin(dim=1)
    moved = a.keypoints_px - torch.tensor([32.0, 32.0])
    seen = (moved > 8).all(dim=1)
    right = (moved - b.keypoints_px[nearest]).norm(dim=1) < 2
    assert seen.sum() > 500
    assert right[seen].float().mean() > 0.7
