"""Our network and sampling against outputs of the published implementation, on known weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch

from dad_sfm.detectors.dad import DaDDetector
from dad_sfm.models.dad import DaD

pytestmark = pytest.mark.shared


class Case(NamedTuple):
    file: str
    seed: int
    image: str
    resize: int
    num_keypoints: int
    remove_borders: bool


CASES = [
    Case("dad_r640_seed7", 7, "02928139_3448003521.jpg", 640, 512, True),
    Case("dad_r1024_seed11", 11, "10265353_3838484249.jpg", 1024, 2048, True),
    Case("dad_r640_seed7_borders", 7, "10265353_3838484249.jpg", 640, 512, False),
]


def published_shapes(shared: Path) -> dict[str, list[int]]:
    return json.loads((shared / "golden/dad/dad_state_dict.json").read_text())


def known_weights(shapes: dict[str, list[int]], seed: int) -> dict[str, torch.Tensor]:
    """Weights that anyone can make again, as the reference outputs' README defines them."""
    random = np.random.RandomState(seed)
    state = {}
    for key in sorted(shapes):
        shape = shapes[key]
        if key.endswith("num_batches_tracked"):
            state[key] = torch.zeros(shape, dtype=torch.long)
            continue
        n = random.standard_normal(shape)
        if key.endswith("running_var"):
            values = abs(1 + 0.1 * n)
        elif len(shape) == 4:
            values = n * np.sqrt(2 / np.prod(shape[1:]))
        elif key.endswith(".weight"):
            values = 1 + 0.1 * n
        else:
            values = 0.1 * n
        state[key] = torch.from_numpy(values.astype(np.float32))
    return state


def test_published_keys_and_shapes(shared: Path) -> None:
    own = {key: list(value.shape) for key, value in DaD().state_dict().items()}
    assert own == published_shapes(shared)
    assert sum(int(np.prod(shape)) for shape in own.values()) == 6_504_411


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.file, marks=[pytest.mark.slow] if number else [])
        for number, case in enumerate(CASES)
    ],
)
def test_published_outputs(shared: Path, case: Case) -> None:
    reference = np.load(shared / f"golden/dad/{case.file}.npz")
    network = DaD()
    network.load_state_dict(known_weights(published_shapes(shared), case.seed))
    detector = DaDDetector(
        network, resize=case.resize, remove_borders=case.remove_borders, device="cpu"
    )
    batch = detector.load_image(shared / "scenes/sacre_coeur/images" / case.image)
    assert tuple(batch["image"].shape) == tuple(reference["input_shape"])

    scoremap = detector(batch)["scoremap"][0, 0].double().numpy()
    spread = reference["scoremap_stride8"].std()
    error = np.abs(scoremap[::8, ::8] - reference["scoremap_stride8"])
    assert error.max() < 1e-3 * spread
    assert abs(scoremap.sum() - reference["scoremap_sum"]) < 1e-3 * spread * scoremap.size

    found = detector.detect(batch, num_keypoints=case.num_keypoints)
    H, W = scoremap.shape
    points, expected = (
        detector.to_pixel_coords(torch.as_tensor(norm), H, W)
        for norm in (found["keypoints"][0], reference["keypoints"])
    )
    assert len(points) == len(expected)
    distances = torch.cdist(points, expected, compute_mode="donot_use_mm_for_euclid_dist")
    nearest = distances.min(dim=1)
    assert (nearest.values < 0.05).float().mean() >= 0.99
    assert nearest.indices.unique().numel() >= 0.99 * len(expected)
    # Of the same points: one more among the last moves all that follow down a rank.
    near = nearest.values < 0.05
    theirs = torch.as_tensor(reference["keypoint_probs"])[nearest.indices[near]]
    np.testing.assert_allclose(found["keypoint_probs"][0][near], theirs, rtol=2e-3)
