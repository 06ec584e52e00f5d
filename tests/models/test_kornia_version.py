"""An older kornia: its versions are compared as numbers, and who needs a newer one says so."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest
from PIL import Image

from dad_sfm import cli
from dad_sfm.core.registry import Registry
from dad_sfm.descriptors import DESCRIPTORS
from dad_sfm.detectors import DETECTORS
from dad_sfm.models.kornia_version import has_kornia


@pytest.mark.parametrize(
    ("installed", "least", "enough"),
    [
        ("0.8.2", "0.8.3", False),
        ("0.8.3", "0.8.3", True),
        ("0.8.3", "0.9", False),
        ("0.9.0", "0.9", True),
        ("0.10.0rc1", "0.9", True),
        ("1.0.post2", "0.9", True),
    ],
)
def test_releases_are_compared_as_numbers(
    monkeypatch: pytest.MonkeyPatch, installed: str, least: str, enough: bool
) -> None:
    monkeypatch.setattr(metadata, "version", lambda package: installed)
    assert has_kornia(least) == enough


@pytest.mark.parametrize(
    ("registry", "name", "least"),
    [
        (DETECTORS, "aliked-n16", "0.8.3"),
        (DETECTORS, "aliked-n32", "0.8.3"),
        (DESCRIPTORS, "aliked-n16rot", "0.8.3"),
        (DETECTORS, "xfeat", "0.8.3"),
        (DETECTORS, "hessian-affine", "0.9"),
        (DETECTORS, "harris-affine", "0.9"),
        (DETECTORS, "keynet", "0.9"),
    ],
)
def test_a_plug_in_says_what_it_needs_when_it_is_made(
    monkeypatch: pytest.MonkeyPatch, registry: Registry, name: str, least: str
) -> None:
    monkeypatch.setattr(metadata, "version", lambda package: "0.8.2")
    monkeypatch.setattr("platform.python_version", lambda: "3.10.13")
    expected = (
        f"^{name} needs kornia>={least}, which needs Python 3.11; "
        r"here is kornia 0\.8\.2 on Python 3\.10\.13$"
    )
    with pytest.raises(ImportError, match=expected):
        registry.make({"name": name})


def test_the_command_line_says_it_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(metadata, "version", lambda package: "0.8.2")
    Image.new("RGB", (64, 48)).save(tmp_path / "a.png")
    argv = ["extract", str(tmp_path), "--conf", "aliked-n16"]
    assert cli.main([*argv, "--export-dir", str(tmp_path)]) == cli.USER_ERROR
    (line,) = capsys.readouterr().err.splitlines()
    assert "aliked-n16 needs kornia>=0.8.3, which needs Python 3.11" in line
