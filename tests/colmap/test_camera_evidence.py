"""What speaks against a camera model, on models whose cameras are known to fit or not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pycolmap
import pytest
from projected import make_scene

from dad_sfm import database, reconstruction
from dad_sfm.colmap.camera_evidence import bending, camera_doubts, radial_share

NAMES = [f"{k}.png" for k in range(5)]


def camera(model: str, *params: float) -> pycolmap.Camera:
    return pycolmap.Camera(model=model, width=800, height=600, params=params)


def test_bending_by_hand() -> None:
    assert bending(camera("PINHOLE", 500, 500, 400, 300)) == pytest.approx(0, abs=1e-9)
    # The corner is 1 focal length off; a ray at r with r (1 + 0.2 r²) = 1 goes there.
    (r,) = (root.real for root in np.roots([0.2, 0, 1, -1]) if abs(root.imag) < 1e-9)
    assert bending(camera("SIMPLE_RADIAL", 500, 400, 300, 0.2)) == pytest.approx(1 / r - 1)
    assert bending(camera("SIMPLE_RADIAL_FISHEYE", 270, 400, 300, 0)) == 0
    assert bending(camera("SIMPLE_RADIAL", 400, 400, 300, -0.3)) > 0.15


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A model of exact points and its database, in which the focal length was known."""
    root = tmp_path_factory.mktemp("scene")
    scene = make_scene(root, [NAMES], noise_px=0.3)
    params = [900.0, 400.0, 300.0, 0.0]
    path = database.main(
        root / "database.db", **scene.inputs, camera_mode="single", camera_params=params
    )
    (model,) = reconstruction.main(root / "sparse", path, scene.image_dir, num_threads=1)
    return model, path


def test_nothing_speaks_against_a_camera_that_fits(built: tuple[Path, Path]) -> None:
    model = pycolmap.Reconstruction(str(built[0]))
    share, count = radial_share(model, 1)
    assert abs(share) < 0.03
    assert count > 500
    assert camera_doubts(model, built[1]) == []


def test_a_focal_length_far_from_the_known_one_is_said(built: tuple[Path, Path]) -> None:
    model = pycolmap.Reconstruction(str(built[0]))
    model.cameras[1].params = [1800.0, *model.cameras[1].params[1:]]
    assert "became 1800 px, 900 px were known" in " ".join(camera_doubts(model, built[1]))


def test_residuals_that_depend_on_the_radius_are_said(built: tuple[Path, Path]) -> None:
    model = pycolmap.Reconstruction(str(built[0]))
    focal, x, y, _ = model.cameras[1].params
    # What a fit with one term leaves of a lens with two: inside out, outside in.
    model.cameras[1].params = [focal, x, y, 0.05]
    share, _ = radial_share(model, 1)
    assert share > 0.3
    assert "--camera-model RADIAL or OPENCV" in " ".join(camera_doubts(model))
