"""Photos whose formats Pillow reads with a plug-in."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from dad_sfm.io.images import read_image
from dad_sfm.io.listing import find_images
from dad_sfm.io.photo_formats import register_plugins


def test_heic_photos_are_read_by_the_plugin(tmp_path: Path) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    grey = np.linspace(0, 255, 64 * 48).reshape(48, 64).astype(np.uint8)
    photo = Image.fromarray(grey).convert("RGB")
    pillow_heif.from_pillow(photo).save(tmp_path / "a.heic", quality=95)
    assert find_images(tmp_path).names == ["a.heic"]
    difference = np.asarray(read_image(tmp_path / "a.heic")).astype(int) - np.asarray(photo)
    assert np.abs(difference).mean() < 3


def test_a_plugin_that_fails_is_said_and_costs_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    called = []

    def fail() -> None:
        called.append("heif")
        raise RuntimeError("made for another Pillow")

    broken = ModuleType("pillow_heif")
    broken.register_heif_opener = fail
    monkeypatch.setitem(sys.modules, "pillow_heif", broken)
    monkeypatch.setitem(sys.modules, "pillow_jxl", ModuleType("pillow_jxl"))
    register_plugins.cache_clear()
    register_plugins()
    assert called == ["heif"]
    assert "pillow_heif cannot be used, its photos are ignored: made for another" in caplog.text
    register_plugins.cache_clear()
