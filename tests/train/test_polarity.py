import pytest
import torch
from known_pairs import SIZE, blobs

from dad_sfm.train.objectives.polarity import contrast, rewarded


def test_contrast_is_the_sign_of_a_spot():
    points = torch.tensor([[[20.0, 20.0], [44.0, 44.0], [20.0, 44.0]]])
    found = contrast(blobs([(20, 20)], [(44, 44)]), points)[0]
    assert found[0] > 0.05
    assert found[1] == pytest.approx(-found[0].item(), abs=1e-3)
    assert found[2] == pytest.approx(0, abs=1e-2)


def test_a_flat_image_has_no_contrast_at_the_border_either():
    corners = torch.tensor([[[0.0, 0.0], [SIZE - 1.0, 0.0], [31.5, SIZE - 0.6]]])
    found = contrast(torch.full((1, 3, SIZE, SIZE), 0.7), corners)
    assert torch.allclose(found, torch.zeros(1, 3), atol=1e-5)


def test_brightness_does_not_change_it():
    image = torch.rand(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0)) / 2
    points = torch.tensor([[[20.3, 20.0], [44.0, 43.1]]])
    assert torch.allclose(contrast(image, points), contrast(image + 0.3, points), atol=1e-5)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [("free", [True, True]), ("light", [True, False]), ("dark", [False, True])],
)
def test_who_may_earn_a_reward(wanted, expected):
    assert rewarded(torch.tensor([0.2, -0.2]), wanted).tolist() == expected
