"""The detector of docs/plugins.md detects."""

import re
from pathlib import Path

import numpy as np
from PIL import Image

from dad_sfm import extract_features
from dad_sfm.detectors import DETECTORS
from dad_sfm.io.store import FeatureReader

PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"


def test_the_example_is_a_detector(tmp_path, monkeypatch):
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "grid_of_the_page.py").write_text(code[1])
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(DETECTORS, "_entries", dict(DETECTORS._entries))
    DETECTORS.add("grid", "grid_of_the_page:Grid")
    (tmp_path / "photos").mkdir()
    Image.effect_noise((64, 48), 80).convert("RGB").save(tmp_path / "photos" / "a.png")
    conf = extract_features.preset("grid+rootsift")
    conf["model"]["step"] = 8
    path = extract_features.main(conf, tmp_path / "photos", tmp_path, device="cpu", workers=0)
    with FeatureReader(path) as reader:
        found = reader.read("a.png")
    np.testing.assert_array_equal(found.keypoints_px[:3], [[0, 0], [8, 0], [16, 0]])
    assert len(found.scores) == 8 * 6
    assert found.descriptors.shape == (48, 128)
