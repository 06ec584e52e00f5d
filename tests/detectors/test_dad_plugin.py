"""DaD and nano as plug-ins of the extraction step."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from dad_sfm.core.config import ConfigError
from dad_sfm.detectors import DETECTORS
from dad_sfm.detectors.dad import DaDDetector
from dad_sfm.models.dad import DaD
from dad_sfm.models.imagenet import normalize
from dad_sfm.models.nano import Nano

NETWORKS = {"dad": DaD, "dad-nano": Nano}


def weights_of(network: nn.Module, folder: Path) -> str:
    path = folder / "weights.safetensors"
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, path)
    return str(path)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_plugin_detects_what_the_detector_does(tmp_path: Path, name: str) -> None:
    torch.manual_seed(0)
    network = NETWORKS[name]()
    path = weights_of(network, tmp_path)
    windows = {"nms_size": 5, "subpixel_temp": 0.7, "balance": 0.5}
    plugin = DETECTORS.make({"name": name, "weights": path, "max_keypoints": 30, **windows})
    assert plugin.stride == 8
    assert plugin.identity["name"] == name
    assert plugin.identity["weights"] == hashlib.sha256(Path(path).read_bytes()).hexdigest()

    images = torch.rand(2, 3, 64, 72)
    twin = DaDDetector(network, device="cpu", **windows)
    for image, found in zip(images, plugin(images), strict=True):
        expected = twin.detect({"image": normalize(image)[None]}, num_keypoints=30)
        keypoints_px = twin.to_pixel_coords(expected["keypoints"][0], 64, 72) - 0.5
        torch.testing.assert_close(found.keypoints_px, keypoints_px, atol=1e-3, rtol=0)
        torch.testing.assert_close(found.scores, expected["keypoint_probs"][0])
        assert found.descriptors is None
        assert len(found.scores) == 30
        assert (found.scores.diff() <= 0).all()


def test_variants_of_dad_are_told_apart(tmp_path: Path) -> None:
    path = weights_of(DaD(), tmp_path)
    names = [
        DETECTORS.make({"name": "dad", "variant": variant, "weights": path}).identity["name"]
        for variant in ("dad", "light", "dark")
    ]
    assert names == ["dad", "dad-light", "dad-dark"]
    with pytest.raises(ConfigError, match="'grey'"):
        DETECTORS.conf({"name": "dad", "variant": "grey"})


def test_points_stay_inside_the_image_without_borders(tmp_path: Path) -> None:
    torch.manual_seed(0)
    plugin = DETECTORS.make(
        {
            "name": "dad",
            "weights": weights_of(DaD(), tmp_path),
            "remove_borders": False,
            "max_keypoints": 10_000,
        }
    )
    (found,) = plugin(torch.rand(1, 3, 64, 72))
    on_border = (found.keypoints_px < 0.5).any(dim=1)
    assert on_border.any()
    assert found.keypoints_px.min() >= 0
    assert (found.keypoints_px <= torch.tensor([71.0, 63.0])).all()


def test_nano_suppresses_more_widely() -> None:
    assert DETECTORS.conf({"name": "dad-nano"}).nms_size == 7
    assert DETECTORS.conf({"name": "dad"}).nms_size == 3
