"""Native crashes and hangs become a sentence; results, errors and logs come through."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time

import pytest

from dad_sfm.core import isolation
from dad_sfm.core.isolation import StageError, run_isolated, started_ahead


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


def process() -> tuple[int, bool]:
    return os.getpid(), "colorsys" in sys.modules


def test_processes_that_were_started_ahead_are_used_and_none_is_left() -> None:
    with started_ahead(3, "colorsys", "no_such_module"):
        ready = list(isolation._waiting)
        assert run_isolated(process) == (ready[2].pid, True)
        with pytest.raises(StageError, match=r"abort crashed: it ended by SIGABRT"):
            run_isolated(abort)
        assert [child.poll() for child in ready] == [None, -signal.SIGABRT, -signal.SIGKILL]
    assert not isolation._waiting
    assert ready[0].poll() == -signal.SIGKILL
    assert run_isolated(process)[0] not in {child.pid for child in ready}


def test_a_process_that_waits_ends_with_the_one_that_started_it(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with started_ahead(1):
        (child,) = isolation._waiting
        assert os.getsid(child.pid) == child.pid  # no interrupt of the terminal reaches it
        assert child.stdin is not None
        child.stdin.close()  # as when this process is killed
        assert child.wait() == 0
    assert capfd.readouterr().err == ""
