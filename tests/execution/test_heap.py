"""The heap that keeps freed memory: no new pages for equal blocks, all given back at last."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dad_sfm.execution import heap
from dad_sfm.execution.heap import kept_heap

needs_glibc = pytest.mark.skipif(
    not sys.platform.startswith("linux") or heap._glibc() is None, reason="of glibc's allocator"
)


@needs_glibc
def test_blocks_come_from_what_was_freed() -> None:
    """In a process of its own: another's freed memory would be taken here without a fault."""
    code = """
import resource
from pathlib import Path
from dad_sfm.execution.heap import kept_heap
size = 64 << 20  # beyond what glibc would keep by itself
def faults():  # pages that the kernel gives for two blocks, one after the other
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(2):
        b"x" * size
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
pages = size / resource.getpagesize()
few = 0.1 * pages
about = Path("/sys/kernel/mm/transparent_hugepage/enabled")
huge = about.is_file() and "[always]" in about.read_text()
assert faults() > 1.9 * pages or huge  # or the rest would show nothing
with kept_heap():
    faults()
    with kept_heap():  # nested, as extraction within a pipeline
        assert faults() < few
    assert faults() < few
"""
    subprocess.run([sys.executable, "-c", code], check=True)


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
