import pytest
import torch
from known_pairs import SIZE, blobs

from dad_sfm.train.objectives.polarity import contrast, reward_factor


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
    [
        ("free", [1, 1, 1, 1, 1]),
        ("light", [1, 1, 1, 0, 1]),
        ("dark", [0, 0, 0, 1, 0]),
        # Three of the four that count are light: each earns 2/3, the dark one twice.
        ("both", [2 / 3, 2 / 3, 2 / 3, 2, 2 / 3]),
    ],
)
def test_what_a_hit_is_worth(wanted, expected):
    contrasts = torch.tensor([[0.2, 0.1, 0.3, -0.2, 0.5]])
    points = torch.tensor([[True, True, True, True, False]])
    assert torch.allclose(
        reward_factor(contrasts, points, wanted)[0], torch.tensor(expected).float()
    )


def test_the_rarest_kind_earns_at_most_four_times():
    contrasts = torch.cat([torch.full((1, 30), 0.1), torch.full((1, 1), -0.1)], dim=1)
    worth = reward_factor(contrasts, torch.ones(1, 31, dtype=torch.bool), "both")[0]
    assert worth[-1] == 4
    alone = reward_factor(contrasts[:, :30], torch.ones(1, 30, dtype=torch.bool), "both")
    assert torch.allclose(alone, torch.tensor(0.5))
    assert reward_factor(contrasts, torch.zeros(1, 31, dtype=torch.bool), "both").isfinite().all()
