"""Being asked to stop: by Ctrl-C, or by whoever runs the machine (SIGTERM)."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """A run was asked to stop, and has saved.  The message says by what, and at which step.

    Like Ctrl-C anywhere else it passes what catches mere errors: what was to come after the run
    must not take its weights for finished ones.
    """


class Interrupt:
    """Within the block the first signal is noted in ``asked``; another one acts as it did before.

    A step is so never cut in two.  Outside the main thread, where Python takes no signals, it
    does nothing.
    """

    def __init__(self) -> None:
        self.asked = ""  # the signal's name
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            self._before = {each: signal.signal(each, self._note) for each in SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.asked = signal.Signals(number).name
        self._restore()

    def _restore(self) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)
        self._before = {}
