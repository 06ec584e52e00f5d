"""The compact detector and the weights that come with the package."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from dad_sfm import extract_features
from dad_sfm.detectors.dad import load_DaDNano
from dad_sfm.evaluation.homography_set import HomographySetConf, make_set, read_set
from dad_sfm.evaluation.polarity import light_keypoints
from dad_sfm.evaluation.repeatability import evaluate
from dad_sfm.io.store import FeatureReader
from dad_sfm.models.nano import Nano
from dad_sfm.synthetic import random_cameras, random_scene, render


def test_it_is_compact():
    """At most 1 M parameters and 10 GMAC at 1024×680."""
    network, macs = Nano().eval(), []
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(
                lambda layer, _, out: macs.append(out[0, 0].numel() * layer.weight.numel())
            )
    with torch.inference_mode():
        network(torch.zeros(1, 3, 680, 1024))
    assert sum(p.numel() for p in network.parameters()) < 1e6
    assert sum(macs) < 10e9


def test_one_logit_a_pixel():
    logits = Nano().eval()(torch.rand(2, 3, 64, 96))
    assert logits.shape == (2, 1, 64, 96)
    assert logits.dtype == torch.float32


def test_bfloat16_keeps_the_digits_of_the_logits():
    network = Nano().eval()
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(torch.rand(1, 3, 64, 64))
    assert logits.dtype == torch.float32
    assert len(logits.unique()) > 4000  # of 4096; rounded to bfloat16 there would be few


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """Three views of rendered scenes, as a folder of photos."""
    folder = tmp_path_factory.mktemp("rendered")
    for seed in range(3):
        scene = random_scene(seed, relief=False)
        camera = random_cameras(scene, seed, 1, size=(640, 480))[0]
        Image.fromarray(render(scene, camera, seed=seed).rgb).save(folder / f"{seed}.png")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "least_light", "most_light"),
    [
        ("dad-nano", 0.35, 0.65),
        ("dad-nano-light", 0.9, 1),
        ("dad-nano-dark", 0, 0.1),
    ],
)
def test_the_packaged_weights_find_the_same_points_again(
    name, least_light, most_light, rendered, tmp_path
):
    """Floors well under what is measured on photos: weights that were broken fall through them."""
    set_dir = make_set([rendered], tmp_path / "set", HomographySetConf(long_side=640))
    features = extract_features.main(
        extract_features.confs[name], set_dir / "images", feature_path=tmp_path / "f.h5"
    )
    pairs = read_set(set_dir)
    (row,) = evaluate(features, pairs, budgets=[512])
    assert row.distinct[0] > 0.4
    assert row.spacing_px > 4
    assert row.localisation_px < 0.6
    with FeatureReader(features) as reader:
        light = [
            light_keypoints(set_dir / "images" / name, reader.read(name).keypoints_px[:256]).mean()
            for name in (pair.name_a for pair in pairs)
        ]
    assert least_light <= np.mean(light) <= most_light


def test_the_published_interface(rendered):
    detector = load_DaDNano(device="cpu")
    found = detector.detect_from_path(
        rendered / "0.png", num_keypoints=300, return_dense_probs=True
    )
    assert found["keypoints"].shape == (1, 300, 2)
    assert found["keypoints"].abs().max() < 1
    probs = found["keypoint_probs"][0]
    assert (probs.diff() <= 0).all()
    assert found["dense_probs"].sum().item() == pytest.approx(1, abs=1e-3)
    H, W = found["dense_probs"].shape[1:]
    there = detector.to_pixel_coords(found["keypoints"], H, W)
    back = detector.to_normalized_coords(there, H, W)
    assert torch.allclose(back, found["keypoints"], atol=1e-6)


def test_a_blank_photo_has_no_points(tmp_path):
    Image.fromarray(np.full((90, 120, 3), 128, np.uint8)).save(tmp_path / "blank.png")
    found = load_DaDNano(device="cpu").detect_from_path(tmp_path / "blank.png", num_keypoints=99)
    assert found["keypoints"].shape == (1, 0, 2)
