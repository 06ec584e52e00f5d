"""LoFTR as a warp: its frame, what lies between its cells, and kornia's network run for real."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from kornia_range import needs_kornia
from PIL import Image

from dad_sfm.core.types import Features
from dad_sfm.geometry import pixel_frames
from dad_sfm.geometry.homography import apply
from dad_sfm.matchers import MATCHERS
from dad_sfm.matchers.base import View
from dad_sfm.matchers.dense.loftr import warp_of_cells
from dad_sfm.models.checkpoints import CheckpointError

SIZE0, SIZE1 = (160, 122), (200, 140)
AFFINE = np.array([[1.1, 0.2, 3.3], [-0.1, 0.9, 14.2], [0, 0, 1]])


def cells(without: set[tuple[int, int]] = frozenset()) -> np.ndarray:
    x, y = np.meshgrid(np.arange(20), np.arange(16))
    found = np.stack([x.ravel(), y.ravel()], axis=-1)
    return np.array([cell for cell in found if tuple(cell) not in without], float)


def moved_by(cells: np.ndarray) -> np.ndarray:
    """Pixel-index points of image 1; the point of cell (0, 0) is at (-0.5, -0.5) of image 0."""
    return apply(AFFINE, 8 * cells - 0.5)


def sample(warp, points_px):
    found, certainty = warp.sample(pixel_frames.norm_from_px(points_px, H=SIZE0[1], W=SIZE0[0]))
    return pixel_frames.px_from_norm(found, H=SIZE1[1], W=SIZE1[0]), certainty


def test_affine_maps_are_exact_everywhere() -> None:
    """In an image whose height is no multiple of the cells'."""
    warp = warp_of_cells(cells(), moved_by(cells()), np.full(320, 0.8), SIZE0, SIZE1)
    points = np.random.default_rng(0).uniform([0, 0], [151, 119], (100, 2))
    found, certainty = sample(warp, points)
    assert found == pytest.approx(apply(AFFINE, points), abs=1e-9)
    assert certainty == pytest.approx(0.8)


def test_beside_an_unmatched_cell_certainty_fades_and_the_map_goes_on() -> None:
    known = cells(without={(10, 8)})
    warp = warp_of_cells(known, moved_by(known), np.ones(len(known)), SIZE0, SIZE1)
    points = np.array([[79.5, 63.5], [77.5, 63.5], [73.5, 63.5], [71.5, 63.5]])
    found, certainty = sample(warp, points)
    assert certainty == pytest.approx([0, 0.25, 0.75, 1])
    assert found == pytest.approx(apply(AFFINE, points), abs=1e-9)


def test_far_from_all_matches_nothing_is_known() -> None:
    known = cells()[cells()[:, 0] < 5]
    warp = warp_of_cells(known, moved_by(known), np.ones(len(known)), SIZE0, SIZE1)
    assert sample(warp, np.array([[70.0, 60]]))[1].tolist() == [0]
    none = warp_of_cells(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0), SIZE0, SIZE1)
    assert sample(none, np.array([[70.0, 60]]))[1].tolist() == [0]


# ------------------------------------------------------------------------ kornia's network
@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> str:
    """Random ones, under the names of the authors' checkpoints."""
    from kornia.feature import LoFTR

    torch.manual_seed(0)
    state = {f"matcher.{key}": value for key, value in LoFTR(None).state_dict().items()}
    path = tmp_path_factory.mktemp("loftr") / "loftr.ckpt"
    torch.save({"state_dict": state}, path)
    return str(path)


def make_view(folder, name: str, seed: int) -> View:
    rng = np.random.default_rng(seed)
    pixels = Image.fromarray(rng.integers(0, 255, (15, 20, 3), np.uint8)).resize((160, 120))
    pixels.save(folder / name)
    points = rng.uniform([25, 25], [125, 90], (30, 2)).astype(np.float32)
    return View(name, Features(points, np.ones(30), (160, 120)), folder / name)


@pytest.mark.slow
@needs_kornia("0.9")
def test_the_warp_is_what_the_network_says_less_half_a_pixel(weights, tmp_path) -> None:
    """Its authors' frame has the centre of the first pixel at (0.5, 0.5)."""
    matcher = MATCHERS.make({"name": "loftr", "weights": weights, "threshold": 0.0})
    views = [make_view(tmp_path, name, seed=0) for name in ("a.png", "b.png")]
    warp = matcher.warp(*views)
    greys = [np.asarray(view.photo.convert("L")) for view in views]
    images = [torch.from_numpy(grey.copy()).float()[None, None] / 255 for grey in greys]
    with torch.inference_mode():
        found = matcher._network({"image0": images[0], "image1": images[1]})
    nodes, points = (found[f"keypoints{i}"].double().numpy() - 0.5 for i in (0, 1))
    assert len(nodes) > 10
    moved, certainty = warp.sample(pixel_frames.norm_from_px(nodes, H=120, W=160))
    known = certainty > 0  # not beside an unknown one, which bilinear reading looks at
    assert known.sum() > 3
    expected = pixel_frames.norm_from_px(points, H=120, W=160)
    assert moved[known] == pytest.approx(expected[known], abs=1e-2)


@pytest.mark.slow
@needs_kornia("0.9")
def test_the_network_sees_each_image_once(weights, tmp_path) -> None:
    matcher = MATCHERS.make({"name": "loftr", "weights": weights})
    views = [make_view(tmp_path, f"{seed}.png", seed) for seed in (0, 1, 2)]
    seen = []
    encode = matcher._network.extract_features
    matcher._network.extract_features = lambda image: seen.append(image.shape) or encode(image)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        found = matcher(views[a], views[b])
        assert len(found.matches0) == len(views[a].features)
    assert seen == [(1, 1, 120, 160)] * 3
    assert matcher.identity["name"] == "loftr-outdoor"


def test_another_checkpoint_is_refused(tmp_path) -> None:
    torch.save({"state_dict": {"x": torch.ones(1)}}, tmp_path / "w.ckpt")
    with pytest.raises(CheckpointError, match="not a checkpoint of loftr-outdoor"):
        MATCHERS.make({"name": "loftr", "weights": str(tmp_path / "w.ckpt")})
