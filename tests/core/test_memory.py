"""Memory that is asked for before it is needed."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from dad_sfm.core.memory import MB, ensure_memory


def test_what_is_there_is_no_error() -> None:
    ensure_memory(MB, "a test")


def test_lack_names_what_needs_how_much() -> None:
    with pytest.raises(MemoryError, match=r"out of memory: a test needs 1099511627776 MB,"):
        ensure_memory(1 << 60, "a test")


def test_limits_of_the_address_space_are_seen() -> None:
    code = (
        "from dad_sfm.core.memory import MB, ensure_memory\n"
        "ensure_memory(100 * MB, 'this')\n"
        "ensure_memory(4000 * MB, 'that')"
    )
    limit = 2000 * MB
    done = subprocess.run(
        [sys.executable, "-c", code],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        capture_output=True,
        text=True,
    )
    assert "MemoryError: out of memory: that needs 4000 MB," in done.stderr
