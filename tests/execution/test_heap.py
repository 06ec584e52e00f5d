"""The heap that keeps freed memory: no new pages for equal blocks, all given back at last."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from dad_sfm.execution import heap
from dad_sfm.execution.heap import kept_heap

SIZE = 64 << 20  # beyond what glibc would keep by itself
PAGES = SIZE // resource.getpagesize()
needs_glibc = pytest.mark.skipif(
    not sys.platform.startswith("linux") or heap._glibc() is None, reason="of glibc's allocator"
)


def _faults() -> int:
    """Pages that the kernel gives for two blocks, one after the other."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(2):
        b"x" * SIZE
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@needs_glibc
def test_blocks_come_from_what_was_freed() -> None:
    assert _faults() > 1.9 * PAGES or _huge_pages()
    with kept_heap():
        _faults()
        with kept_heap():  # nested, as extraction within a pipeline
            assert _faults() < 0.1 * PAGES
        assert _faults() < 0.1 * PAGES


@needs_glibc
def test_memory_goes_back_at_the_end() -> None:
    """In a process of its own: what else a test run holds would stay above it."""
    code = """
from dad_sfm.execution.heap import kept_heap
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
before = resident()
with kept_heap():
    b"x" * (64 << 20)
    assert resident() - before > 60 << 20
assert resident() - before < 4 << 20
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap, "_glibc", lambda: None)
    with kept_heap():
        assert heap._users == 1
    assert heap._users == 0


def _huge_pages() -> bool:
    """Whether every large block gets huge pages, of which there are few."""
    about = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    return about.is_file() and "[always]" in about.read_text()
