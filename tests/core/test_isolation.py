"""Native crashes and hangs become a sentence; results, errors and logs come through."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time

import pytest

from dad_sfm.core.isolation import StageError, run_isolated


class TwoArgumentsError(ValueError):
    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def add(a: int, *, b: int) -> int:
    logging.getLogger("dad_sfm.test").warning("adding %d", a)
    os.write(1, b"native code prints this")
    return a + b


def fail() -> None:
    raise TwoArgumentsError("why", "in words")


def abort() -> None:
    logging.getLogger("dad_sfm.test").info("about to abort")
    os.kill(os.getpid(), signal.SIGABRT)


def leave() -> None:
    os._exit(7)


def hang() -> None:
    time.sleep(60)


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(os.path.dirname(__file__))
    monkeypatch.setitem(sys.modules, "test_isolation", sys.modules[__name__])


def test_results_and_logs_come_through(caplog: pytest.LogCaptureFixture) -> None:
    assert run_isolated(add, 2, b=3) == 5
    assert [(r.name, r.levelname, r.getMessage()) for r in caplog.records] == [
        ("dad_sfm.test", "WARNING", "adding 2")
    ]


def test_errors_come_through_with_what_they_carry() -> None:
    with pytest.raises(TwoArgumentsError, match="in words") as caught:
        run_isolated(fail)
    assert caught.value.reason == "why"


def test_a_crash_is_a_sentence(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(StageError, match=r"abort crashed: it ended by SIGABRT"):
        run_isolated(abort)
    assert "about to abort" in caplog.text
    with pytest.raises(StageError, match=r"leave crashed: it ended with exit code 7"):
        run_isolated(leave)


def test_a_hang_is_a_sentence() -> None:
    start = time.monotonic()
    with pytest.raises(StageError, match=r"hang was not done within 3 seconds"):
        run_isolated(hang, time_limit=3)
    assert time.monotonic() - start < 30
