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
