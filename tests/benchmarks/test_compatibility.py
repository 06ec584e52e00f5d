"""The table of docs/matchers.md is what the registries give with the weights of ../shared."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from blobs import texture

from dad_sfm import extract_features
from dad_sfm.benchmarks.compatibility import compatibility
from dad_sfm.execution.extractor import Extractor, descriptor_name
from dad_sfm.execution.loading import Photo
from dad_sfm.matchers.compatibility import descriptor_of
from dad_sfm.models.checkpoints import FOLDER_VARIABLE, CheckpointError, offline, resolve

DOCUMENT = Path(__file__).parents[2] / "docs" / "matchers.md"


@pytest.fixture
def only_shared_weights(shared, tmp_path, monkeypatch) -> None:
    """No cache of torch's, and none of the packages that are optional."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(shared / "weights"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    for package in ("romatch", "romav2", "loma"):
        monkeypatch.setitem(sys.modules, package, None)


@pytest.mark.slow
def test_the_documented_table_is_the_generated_one(only_shared_weights) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    (_, _, rest) = text.partition("<!-- python pipelines/compatibility.py -->\n\n")
    assert rest.partition("\n\n<!-- end -->")[0].splitlines() == compatibility()


@pytest.mark.slow
def test_descriptors_are_called_as_their_features_call_them(only_shared_weights) -> None:
    known = 0
    pixels = (255 * texture(128, 160)[0]).byte().numpy()
    for name, conf in extract_features.confs.items():
        with offline():
            try:
                extractor = Extractor(conf["model"])
            except CheckpointError:
                continue
        known += 1
        (features,) = extractor([Photo(pixels, (160, 128))])
        made = descriptor_of(extractor.provenance)
        expected = made["name"] if features.descriptors is not None else None
        assert descriptor_name(conf["model"]) == expected, name
    assert known >= 13


def test_nothing_is_downloaded_offline(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr("dad_sfm.models.downloads.urlopen", lambda *_, **__: pytest.fail("fetched"))
    with offline(), pytest.raises(CheckpointError, match=r"cannot download .*w\.pth \(offline\)"):
        resolve(None, url="https://nowhere.invalid/w.pth")
