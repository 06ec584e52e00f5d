"""Good Features to Track: eigenvalues by hand, and where the corners of a square are."""

from __future__ import annotations

import pytest
import torch

from dad_sfm.detectors import DETECTORS
from dad_sfm.detectors.gftt import least_eigenvalues
from dad_sfm.execution.extractor import descriptor_name


def square(contrast: float = 0.5) -> torch.Tensor:
    images = torch.zeros(1, 3, 40, 48)
    images[:, :, 10:30, 12:36] = contrast
    return images


def test_the_smaller_eigenvalue_is_that_of_the_flatter_direction() -> None:
    x, y = torch.meshgrid(torch.arange(9.0), torch.arange(9.0), indexing="xy")
    ramp = (0.1 * x)[None, None]
    assert least_eigenvalues(ramp, 3)[0, 4, 4].item() == pytest.approx(0, abs=1e-7)
    # A saddle xy has the gradient (y, x): about (4, 4) its 3×3 mean of (y², xy, x²) is
    # (16 + 2/3, 16, 16 + 2/3), whose smaller eigenvalue is 2/3.
    saddle = (x * y)[None, None]
    assert least_eigenvalues(saddle, 3)[0, 4, 4].item() == pytest.approx(2 / 3, rel=1e-4)


def test_the_corners_of_a_square_are_found_and_its_edges_are_not() -> None:
    (found,) = DETECTORS.make({"name": "gftt"})(square())
    assert found.descriptors is None
    assert descriptor_name({"name": "gftt"}) is None
    corners = torch.tensor([[12.0, 10.0], [35.0, 10.0], [12.0, 29.0], [35.0, 29.0]])
    assert len(found.keypoints_px) == 4
    assert torch.cdist(corners, found.keypoints_px).amin(dim=1).max() <= 1.5
    assert found.descriptors is None


def test_masks_and_budgets() -> None:
    find = DETECTORS.make({"name": "gftt", "max_keypoints": 1})
    mask = torch.zeros(1, 40, 48, dtype=torch.bool)
    mask[:, :, 24:] = True
    (found,) = find(square(), mask)
    assert len(found.scores) == 1
    assert found.keypoints_px[0, 0] > 30
    (nothing,) = find(square(0.0))
    assert len(nothing.keypoints_px) == 0


def test_what_the_mask_hides_sets_no_threshold() -> None:
    images = torch.zeros(1, 3, 40, 96)
    images[:, :, 10:30, 12:36] = 1.0
    images[:, :, 10:30, 60:84] = 0.05  # its eigenvalues are 1/400 of the bright square's
    mask = torch.zeros(1, 40, 96, dtype=torch.bool)
    mask[:, :, 48:] = True
    (found,) = DETECTORS.make({"name": "gftt"})(images, mask)
    assert len(found.keypoints_px) == 4


@pytest.mark.parametrize("options", [{"max_keypoints": 0}, {"distance": -1}, {"block": 2}])
def test_impossible_options_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="gftt"):
        DETECTORS.make({"name": "gftt", **options})
