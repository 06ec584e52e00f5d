"""Fixtures that several tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real photos and reference outputs; tests that need it skip without it."""
    default = Path(__file__).parents[2] / "shared"
    folder = Path(os.environ.get("DAD_SFM_SHARED", default))
    if not folder.is_dir():
        pytest.skip(f"no folder of real photos at {folder}; set DAD_SFM_SHARED")
    return folder


@pytest.fixture
def no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An empty cache, no folder of the user's, no network; the addresses that were asked for."""
    import torch

    from dad_sfm.models.checkpoints import FOLDER_VARIABLE

    asked: list[str] = []

    def refuse(url: str, *_: object, **__: object) -> None:
        asked.append(url)
        raise OSError("no network")

    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "no weights"))
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    monkeypatch.setattr("dad_sfm.models.checkpoints.fetch", refuse)
    return asked


@pytest.fixture
def dot_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plug-ins of `fakes` by name, for one test; and how many images were seen from 0."""
    from fakes import BrightDots

    from dad_sfm.descriptors import DESCRIPTORS
    from dad_sfm.detectors import DETECTORS

    for registry in (DETECTORS, DESCRIPTORS):
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    DETECTORS.add("bright-dots", "fakes:BrightDots")
    DESCRIPTORS.add("position", "fakes:Position")
    monkeypatch.setattr(BrightDots, "seen", 0)
