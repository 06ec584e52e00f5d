"""Work ahead: ordered, bounded, and with errors where they belong."""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dad_sfm.core.memory import MB
from dad_sfm.execution.prefetch import prefetch


def test_order_is_kept() -> None:
    def slow_when_early(i: int) -> int:
        time.sleep(0.02 if i % 3 == 0 else 0)
        return i * i

    found = [(i, future.result()) for i, future in prefetch(slow_when_early, range(20), workers=4)]
    assert found == [(i, i * i) for i in range(20)]


def test_runs_ahead_but_not_far() -> None:
    lock, started, most = threading.Lock(), 0, 0

    def count(i: int) -> int:
        nonlocal started
        with lock:
            started += 1
        return i

    for i, _ in prefetch(count, range(200), workers=2):
        time.sleep(0.001)
        most = max(most, started - i)
    assert started == 200
    assert 2 <= most <= 6


def test_an_error_stays_with_its_item() -> None:
    def odd_only(i: int) -> int:
        if i == 2:
            raise KeyError("two")
        return i

    found = dict(prefetch(odd_only, range(4), workers=2))
    assert [found[i].result() for i in (0, 1, 3)] == [0, 1, 3]
    with pytest.raises(KeyError, match="two"):
        found[2].result()


def test_stops_when_the_consumer_does() -> None:
    started = []
    for i, _ in prefetch(started.append, range(10_000), workers=2):
        if i == 3:
            break
    assert len(started) < 20


def test_nothing_to_do() -> None:
    assert list(prefetch(str, [])) == []


def test_memory_that_is_gone_when_a_thread_starts_is_an_error() -> None:
    """Where it goes between the thread's stack and its first steps, its start never returns."""

    def items() -> Iterator[int]:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + 8 * MB
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        yield 1

    pid = os.fork()
    if pid == 0:
        signal.alarm(5)
        try:
            list(prefetch(str, items(), workers=1))
        except MemoryError:
            os._exit(0)
        except BaseException:
            os._exit(4)
        os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
