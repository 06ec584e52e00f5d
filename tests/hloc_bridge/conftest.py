"""hloc for one test: the fake of this folder, or the real one where there is one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

FAKE = Path(__file__).parent / "fake"


@pytest.fixture(params=["fake", "real"])
def hloc(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A package named hloc, as it is before anything is registered.

    The real one is taken from the folders that HLOC names (separated as in PATH), or from where
    Python finds it.
    """
    if request.param == "fake":
        folders = [str(FAKE)]
    else:
        folders = os.environ.get("HLOC", "").split(os.pathsep)
    for folder in filter(None, folders):
        monkeypatch.syspath_prepend(folder)
    _forget()
    try:
        if request.param == "real":
            for module in ("extract_features", "match_features"):
                pytest.importorskip(
                    f"hloc.{module}",
                    reason="hloc is not importable: name a checkout with HLOC=...",
                    exc_type=ImportError,
                )
        yield import_module("hloc")
    finally:
        _forget()


@pytest.fixture
def no_hloc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine without hloc."""
    _forget()
    monkeypatch.setitem(sys.modules, "hloc", None)
    yield
    _forget()


def _forget() -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "hloc"]:
        del sys.modules[name]
