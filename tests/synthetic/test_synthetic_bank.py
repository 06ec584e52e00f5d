import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dad_sfm.core.config import ConfigError
from dad_sfm.io.images import ImageError
from dad_sfm.synthetic import Pinhole, View, warp_points
from dad_sfm.synthetic.bank import BankConf, render_bank

CONF = BankConf(size=64, views=2, relief=False, days=0.0)


@pytest.fixture(scope="module")
def textures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("textures")
    noise = np.random.default_rng(0).integers(0, 256, (3, 80, 100, 3), dtype=np.uint8)
    paths = [folder / f"{i}.png" for i in range(3)]
    for pixels, path in zip(noise, paths, strict=True):
        Image.fromarray(pixels).save(path)
    return paths


def test_a_scene_holds_views_cameras_and_shares(textures, tmp_path):
    (path,) = render_bank(tmp_path, CONF, scenes=1, textures=textures, workers=0)
    with np.load(path) as scene:
        views = [
            View(
                Pinhole(scene["intrinsics_px"][i], scene["cam_from_world"][i], (64, 64)),
                scene[f"rgb_{i}"],
                scene[f"depth_{i}"],
            )
            for i in range(2)
        ]
        shares = scene["shares"]
    points = np.random.default_rng(0).uniform(-0.5, 63.5, (4000, 2))
    for a, b in ((0, 1), (1, 0)):
        seen = warp_points(views[a], views[b], points)[1].mean()
        assert seen == pytest.approx(shares[a, b], abs=0.15)
    assert (shares.diagonal() > 0.5).all()
    assert shares[0, 1] >= CONF.overlap


def test_views_of_another_day_show_the_same_things_in_other_light(textures, tmp_path):
    def draw(days: float) -> dict[str, np.ndarray]:
        conf = replace(CONF, days=days)
        (path,) = render_bank(tmp_path / str(days), conf, scenes=1, textures=textures, workers=0)
        with np.load(path) as scene:
            return dict(scene)

    one, many = draw(0.0), draw(1.0)
    for name in ("depth_0", "depth_1", "cam_from_world", "shares"):
        np.testing.assert_array_equal(one[name], many[name])
    assert (one["rgb_0"] != many["rgb_0"]).mean() > 0.3


@pytest.mark.slow
def test_processes_draw_what_one_alone_draws(textures, tmp_path):
    alone = render_bank(tmp_path / "a", CONF, scenes=2, textures=textures, workers=0)
    together = render_bank(tmp_path / "b", CONF, scenes=2, textures=textures, workers=2)
    for one, other in zip(alone, together, strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert alone[0].read_bytes() != alone[1].read_bytes()


@pytest.mark.slow
def test_a_bank_goes_on_and_grows(textures, tmp_path):
    whole = render_bank(tmp_path / "whole", CONF, scenes=3, textures=textures, workers=0)
    first = render_bank(tmp_path / "grown", CONF, scenes=1, textures=textures, workers=0)
    before = first[0].stat().st_mtime_ns
    # What a killed process leaves behind is no scene.
    (tmp_path / "grown" / "00001.4711.tmp").write_bytes(b"half")
    grown = render_bank(tmp_path / "grown", CONF, scenes=3, textures=textures, workers=0)
    assert first[0].stat().st_mtime_ns == before
    assert [p.read_bytes() for p in grown] == [p.read_bytes() for p in whole]


def test_another_bank_is_refused(textures, tmp_path):
    render_bank(tmp_path, CONF, scenes=0, textures=textures)
    with pytest.raises(ConfigError, match="differs in size, seed"):
        render_bank(tmp_path, replace(CONF, size=80, seed=1), scenes=0, textures=textures)
    with pytest.raises(ConfigError, match="differs in textures"):
        render_bank(tmp_path, CONF, scenes=0)
    assert json.loads((tmp_path / "bank.json").read_text())["size"] == 64


def test_other_photos_of_the_same_names_are_another_bank(textures, tmp_path):
    render_bank(tmp_path / "bank", CONF, scenes=0, textures=textures)
    others = [tmp_path / path.name for path in textures]
    for path in others:
        Image.new("RGB", (60, 40)).save(path)
    with pytest.raises(ConfigError, match="differs in textures"):
        render_bank(tmp_path / "bank", CONF, scenes=0, textures=others)


def test_photos_that_cannot_be_read_are_left_out(textures, tmp_path, caplog):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no image")
    conf = {"scenes": 1, "workers": 0}
    (path,) = render_bank(tmp_path / "a", CONF, textures=[broken, *textures], **conf)
    assert path.is_file()
    assert "broken.jpg" in caplog.text
    with pytest.raises(ImageError, match=r"broken\.jpg"):
        render_bank(tmp_path / "b", CONF, textures=[broken], **conf)
