"""Perspective views of panoramas, and the rig of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dad_sfm.geometry.cameras import rotation_from_quaternion
from dad_sfm.geometry.equirectangular import pano_from_view
from dad_sfm.io.images import ImageError
from dad_sfm.io.panorama_crops import CropConf, crop_panoramas


def test_views_and_rig(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    left_is_dark = np.zeros((64, 128, 3), np.uint8)
    left_is_dark[:, 64:] = 200
    Image.fromarray(left_is_dark).save(photos / "a.png")
    Image.new("RGB", (60, 50)).save(photos / "b.png")
    conf = CropConf(fov=90, yaws=2, pitches=(0.0, 30.0))
    rig, failures = crop_panoramas(photos, tmp_path / "out", conf)
    assert list(failures) == ["b.png"]
    assert "60×50 is not 2:1" in failures["b.png"]
    names = {p.relative_to(tmp_path / "out/images").as_posix() for p in rig.parent.rglob("*.jpg")}
    views = ["pitch+0_yaw0", "pitch+0_yaw180", "pitch+30_yaw90", "pitch+30_yaw270"]
    assert names == {f"{view}/a.png.jpg" for view in views}
    ahead = np.asarray(Image.open(tmp_path / "out/images/pitch+0_yaw0/a.png.jpg"))
    behind = np.asarray(Image.open(tmp_path / "out/images/pitch+0_yaw180/a.png.jpg"))
    assert ahead.shape == (41, 41, 3)  # 128 pixels are 2 pi, a side 2 tan(45°)
    assert ahead[:, :18].mean() < 5
    assert ahead[:, 23:].mean() > 195
    assert behind[:, :18].mean() > 195
    assert behind[:, 23:].mean() < 5
    (only,) = json.loads(rig.read_text())
    cameras = only["cameras"]
    assert [camera["image_prefix"] for camera in cameras] == [f"{view}/" for view in views]
    assert cameras[0]["ref_sensor"]
    assert "cam_from_rig_rotation" not in cameras[0]
    assert cameras[1]["camera_params"] == [pytest.approx(20.5), 20.5, 20.5]
    up = rotation_from_quaternion(cameras[2]["cam_from_rig_rotation"])
    np.testing.assert_allclose(up, pano_from_view(90, 30).T, atol=1e-12)  # the first is the rig's


def test_panoramas_of_two_sizes_are_refused(tmp_path: Path) -> None:
    Image.new("RGB", (40, 20)).save(tmp_path / "a.png")
    Image.new("RGB", (60, 30)).save(tmp_path / "b.png")
    with pytest.raises(ImageError, match=r"b\.png: 60×30 pixels, the others 40×20"):
        crop_panoramas(tmp_path, tmp_path / "out", CropConf(yaws=1, pitches=(0.0,)))
