"""DaDDetector: the original's interface, and what we do otherwise."""

from __future__ import annotations

import copy
import inspect
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import dad_sfm as dad
from dad_sfm import load_DaD, load_DaDNano
from dad_sfm.detectors.dad import DaDDetector
from dad_sfm.geometry import pixel_frames
from dad_sfm.models.dad import DaD
from dad_sfm.models.folding import fold_batch_norm
from dad_sfm.models.imagenet import normalize
from dad_sfm.models.nano import Nano


class Brightness(nn.Module):
    """A network whose logits are the image: peaks are where the pixels are bright."""

    stride = 8

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(4.0))

    def forward(self, images: Tensor) -> Tensor:
        return images.mean(dim=1, keepdim=True) * self.gain


def dots(*points: tuple[int, int], H: int = 48, W: int = 64) -> Tensor:
    """1×3×H×W in [0, 1]: single bright pixels, each a little darker than the one before."""
    image = torch.zeros(1, 3, H, W)
    for i, (x, y) in enumerate(points):
        image[..., y, x] = 1 - 0.1 * i
    return image


def detector(**options: object) -> DaDDetector:
    return DaDDetector(Brightness(), device="cpu", **options)  # type: ignore[arg-type]


def shaken(network: nn.Module) -> nn.Module:
    """The network with batch norms that do something."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.2)
            nn.init.normal_(module.running_mean, std=0.2)  # type: ignore[arg-type]
            nn.init.uniform_(module.running_var, 0.5, 1.5)  # type: ignore[arg-type]
    return network.eval()


def test_keypoints_are_normalised_and_sorted() -> None:
    H, W = 48, 64
    found = detector().detect(
        {"image": dots((10, 20), (40, 30))}, num_keypoints=2, return_dense_probs=True
    )
    assert found["keypoints"].shape == (1, 2, 2)
    assert found["dense_probs"].shape == (1, H, W)
    assert found["dense_probs"].sum() == pytest.approx(1, rel=1e-4)
    first, second = found["keypoint_probs"][0]
    assert first > second
    keypoints_px = pixel_frames.px_from_norm(found["keypoints"][0], H=H, W=W)
    torch.testing.assert_close(keypoints_px, torch.tensor([[10.0, 20], [40, 30]]))


def test_pixel_coordinates_are_those_of_the_original() -> None:
    norm = torch.tensor([[-1.0, -1.0], [1.0, 1.0], [-1 + 1 / 64, -1 + 1 / 48]])
    pixels = detector().to_pixel_coords(norm, 48, 64)
    torch.testing.assert_close(pixels, torch.tensor([[0.0, 0.0], [64.0, 48.0], [0.5, 0.5]]))
    torch.testing.assert_close(detector().to_normalized_coords(pixels, 48, 64), norm)


def test_more_keypoints_than_maxima_or_pixels() -> None:
    found = detector().detect({"image": dots((10, 20), (40, 30))}, num_keypoints=10**6)
    assert found["keypoints"].shape == (1, 2, 2)
    assert (found["keypoint_probs"] > 0).all()


@pytest.mark.parametrize("remove_borders", [True, False])
@pytest.mark.parametrize("network", [DaD, Nano])
def test_blank_image_has_no_keypoints(network: type[nn.Module], remove_borders: bool) -> None:
    blank = normalize(torch.full((1, 3, 64, 72), 0.3))
    blind = DaDDetector(shaken(network()), remove_borders=remove_borders, device="cpu")
    found = blind.detect({"image": blank}, num_keypoints=100)
    assert found["keypoints"].shape == (1, 0, 2)
    assert found["keypoint_probs"].shape == (1, 0)
    noise = normalize(torch.rand(1, 3, 64, 72))
    assert blind.detect({"image": noise}, num_keypoints=100)["keypoints"].shape[1] > 20


def test_batch_of_images_with_different_numbers_of_points() -> None:
    batch = torch.cat([dots((10, 20), (40, 30)), dots((5, 5)), torch.zeros(1, 3, 48, 64)])
    found = detector().detect({"image": batch}, num_keypoints=10)
    assert found["keypoints"].shape == (3, 2, 2)
    assert (found["keypoint_probs"] > 0).sum(dim=1).tolist() == [2, 1, 0]
    assert torch.equal(found["keypoints"].isnan().any(dim=-1), found["keypoint_probs"] == 0)


def test_borders() -> None:
    image = {"image": dots((3, 20), (4, 30), (60, 10))}
    assert detector().detect(image, num_keypoints=9)["keypoints"].shape[1] == 1
    assert detector(remove_borders=False).detect(image, num_keypoints=9)["keypoints"].shape[1] == 3


def test_nms_size_thins_out() -> None:
    image = {"image": dots((20, 20), (23, 20))}
    assert detector().detect(image, num_keypoints=9)["keypoints"].shape[1] == 2
    assert detector(nms_size=7).detect(image, num_keypoints=9)["keypoints"].shape[1] == 1


def test_subpixel_moves_towards_the_brighter_side() -> None:
    image = dots((20, 20))
    image[..., 20, 21] = 0.9
    raw, soft, sharp = (
        pixel_frames.px_from_norm(
            detector(**options).detect({"image": image}, num_keypoints=1)["keypoints"][0, 0],
            H=48,
            W=64,
        )
        for options in ({"subpixel": False}, {}, {"subpixel_temp": 0.1})
    )
    assert raw.tolist() == pytest.approx([20, 20])
    # The neighbour's logit is 0.4 lower: its weight is exp(-0.4 / temperature).
    assert soft.tolist() == pytest.approx([20 + 1 / (1 + np.exp(0.8)), 20], abs=0.01)
    assert sharp.tolist() == pytest.approx([20 + 1 / (1 + np.exp(4.0)), 20], abs=0.01)


@pytest.mark.parametrize(
    ("size", "options", "expected"),
    [
        ((400, 301), {"resize": 256}, (192, 256)),
        ((100, 50), {"resize": 256}, (128, 256)),  # small images are enlarged
        ((400, 300), {"resize": 200, "keep_aspect_ratio": False}, (200, 200)),
    ],
)
def test_load_image(
    tmp_path: Path, size: tuple[int, int], options: dict, expected: tuple[int, int]
) -> None:
    Image.new("RGB", size, (124, 116, 104)).save(tmp_path / "a.png")
    image = detector(**options).load_image(tmp_path / "a.png")["image"]
    assert image.shape == (1, 3, *expected)
    assert image.dtype == torch.float32
    assert image.abs().max() < 0.01  # ImageNet's mean


def test_detect_from_path(tmp_path: Path) -> None:
    pixels = (dots((10, 20))[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    found = detector(resize=64).detect_from_path(tmp_path / "a.png", num_keypoints=5)
    keypoints = detector().to_pixel_coords(found["keypoints"][0], 48, 64)
    torch.testing.assert_close(keypoints, torch.tensor([[10.5, 20.5]]))


@pytest.mark.parametrize("network", [DaD, Nano])
def test_folding_changes_nothing(network: type[nn.Module]) -> None:
    plain = shaken(network())
    folded = fold_batch_norm(plain)
    assert any(isinstance(m, nn.BatchNorm2d) for m in plain.modules())
    assert not any(isinstance(m, nn.BatchNorm2d) for m in folded.modules())
    images = torch.randn(2, 3, 40, 56)
    with torch.inference_mode():
        expected, got = plain(images), folded(images)
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-4 * float(expected.std()))


def test_size_that_is_no_multiple_of_the_stride() -> None:
    assert DaD().eval()(torch.rand(1, 3, 37, 51)).shape == (1, 1, 37, 51)


def test_nano_takes_sizes_that_are_no_multiple_of_the_stride() -> None:
    """Padded and cut: the points of the padded image, less those in the padding."""
    made, images = load_DaDNano(device="cpu"), torch.rand(1, 3, 72, 96)
    images[..., 67:, :], images[..., 93:] = images[..., 66:67, :], images[..., 92:93]
    whole = made({"image": images})["scoremap"]
    cut = made({"image": images[..., :67, :93]})["scoremap"]
    torch.testing.assert_close(cut, whole[..., :67, :93])
    found = made.detect({"image": images[..., :67, :93]}, num_keypoints=50)
    points = made.to_pixel_coords(found["keypoints"][0], h=67, w=93)
    assert len(points) == 50
    assert (points > 0).all()
    assert (points < torch.tensor([93.0, 67.0])).all()


def test_weights_that_are_loaded_later_count() -> None:
    torch.manual_seed(0)
    first, second = (DaDDetector(shaken(Nano()), device="cpu") for _ in range(2))
    images = {"image": torch.rand(1, 3, 32, 32)}
    expected = second(images)["scoremap"]
    assert not torch.allclose(first(images)["scoremap"], expected)
    first.load_state_dict(second.state_dict())
    torch.testing.assert_close(first(images)["scoremap"], expected)
    copied = copy.deepcopy(first)
    copied.network.load_state_dict(DaDDetector(shaken(Nano()), device="cpu").network.state_dict())
    assert not torch.allclose(copied(images)["scoremap"], expected)
    torch.testing.assert_close(first(images)["scoremap"], expected)


def test_half_precision_is_a_choice() -> None:
    images = torch.randn(1, 3, 64, 64)
    network = shaken(DaD())
    full, half = (
        DaDDetector(network, device="cpu", amp_dtype=kind)({"image": images})["scoremap"]
        for kind in (None, torch.bfloat16)
    )
    assert full.dtype == half.dtype == torch.float32
    assert not torch.equal(full, half)
    assert (full - half).abs().mean() < 0.1 * full.std()
    with pytest.raises(ValueError, match="float16"):
        DaDDetector(network, device="cpu", amp_dtype=torch.float16)


def test_keywords_of_the_original(tmp_path: Path) -> None:
    """Its README's script, and what its `dad.utils` offers."""
    Image.fromarray((dots((10, 12), (40, 30))[0].permute(1, 2, 0) * 255).byte().numpy()).save(
        tmp_path / "a.png"
    )
    made = detector(resize=64)
    image = made.load_image(im_path=tmp_path / "a.png")
    found = made.detect(image, num_keypoints=2, return_dense_probs=True)
    again = made.detect_from_path(im_path=tmp_path / "a.png", num_keypoints=2)
    torch.testing.assert_close(found["keypoints"], again["keypoints"])
    pixels = made.to_pixel_coords(normalized_coords=found["keypoints"], h=48, w=64)
    back = made.to_normalized_coords(pixel_coords=pixels, h=48, w=64)
    torch.testing.assert_close(back, found["keypoints"])
    dad.utils.visualize_keypoints(
        tmp_path / "a.png", tmp_path / "vis" / "a.png", made, num_keypoints=2
    )
    assert (tmp_path / "vis" / "a.png").is_file()


def test_arguments_of_the_original() -> None:
    defaults = {
        "resize": 1024,
        "nms_size": 3,
        "remove_borders": True,
        "subpixel": True,
        "subpixel_temp": 0.5,
        "keep_aspect_ratio": True,
        "pretrained": True,
        "weights_path": None,
        "balance": 0.0,
    }
    nano = {"nms_size": 7, "subpixel_temp": 2.5, "balance": 1.0}
    for load, own in ((load_DaD, {}), (load_DaDNano, nano)):
        parameters = inspect.signature(load).parameters
        assert {name: parameters[name].default for name in defaults} == {**defaults, **own}
    made = load_DaD(resize=512, nms_size=5, pretrained=False, device="cpu")
    assert (made.resize, made.nms_size, made.weights_sha256) == (512, 5, None)
