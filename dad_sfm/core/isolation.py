"""A function in a process of its own, so that native code cannot take this one with it.

COLMAP checks its input with assertions that abort the process, and an abort, a segmentation fault
or a hang cannot be caught within it.  Here they become a `StageError`, and what the process had
logged until then is in this one's log.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import pickle
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

Result = TypeVar("Result")

_SIZE = struct.Struct("<Q")
_SERVE = "from dad_sfm.core import isolation; isolation.serve()"
_waiting: list[subprocess.Popen[bytes]] = []  # started ahead, and not in use yet


class StageError(RuntimeError):
    """A stage ended without an answer: it crashed, or took too long."""


def run_isolated(
    function: Callable[..., Result], *args: Any, time_limit: float | None = None, **kwargs: Any
) -> Result:
    """Call a module-level function in a new process, and return what it returns.

    time_limit  seconds after which the process is ended

    What it raises is raised here, what it logs is logged here, and its standard error is ours.
    Raises `StageError` when the process dies or runs out of time.
    """
    child = _waiting.pop() if _waiting else _started()
    assert child.stdin is not None
    assert child.stdout is not None
    late = threading.Event()

    def end() -> None:
        late.set()
        child.kill()

    timer = threading.Timer(time_limit or 0, end)
    if time_limit is not None:
        timer.start()
    name = f"{function.__module__}.{function.__qualname__}"
    try:
        try:
            _send(child.stdin, (function, args, kwargs))
            answer = _receive_answer(child.stdout)
        except (BrokenPipeError, EOFError):
            code = child.wait()
            if late.is_set():
                message = f"{name} was not done within {time_limit:.0f} seconds, and was ended"
            else:
                message = f"{name} crashed: {_cause(code)}"
            raise StageError(message) from None
    finally:
        timer.cancel()
        _end(child)
    kind, value = answer
    if kind == "error":
        raise _rebuilt(*value)
    return value


@contextlib.contextmanager
def started_ahead(count: int, *modules: str) -> Iterator[None]:
    """Start processes for the next calls of `run_isolated` inside, while something else is done.

    modules  what they load meanwhile

    Those that were not needed are ended.
    """
    children = [_started(*modules) for _ in range(count)]
    _waiting.extend(children)
    try:
        yield
    finally:
        for child in children:
            if child in _waiting:
                _waiting.remove(child)
                _end(child)


def _started(*modules: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", _SERVE, *modules],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,  # an interrupt is for this process, which then ends that one
    )


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    with contextlib.suppress(BrokenPipeError), child:  # closes its pipes and waits
        pass


def serve() -> None:
    """Answer one request of `run_isolated`, from standard input to standard output."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    # What native code prints must not get between the answers.
    os.dup2(2, 1)
    for module in sys.argv[1:]:
        with contextlib.suppress(ImportError):  # the function says what it lacks
            importlib.import_module(module)
    try:
        request = _receive(requests)
    except EOFError:  # nothing was asked
        return
    function, args, kwargs = pickle.loads(request)
    threading.Thread(target=_die_with_parent, args=(requests,), daemon=True).start()
    root = logging.getLogger()
    root.addHandler(_Forward(answers))
    logging.getLogger("dad_sfm").setLevel(logging.DEBUG)
    try:
        answer = "result", function(*args, **kwargs)
    except BaseException as error:
        answer = "error", (type(error), error.args, error.__dict__)
    _send(answers, answer)


def _die_with_parent(requests: Any) -> None:
    requests.read(1)  # nothing comes but the end
    os._exit(1)


class _Forward(logging.Handler):
    """Sends records to the parent."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        _send(self._stream, ("log", (record.name, record.levelno, record.getMessage())))


def _receive_answer(stream: Any) -> tuple[str, Any]:
    while True:
        kind, value = pickle.loads(_receive(stream))
        if kind != "log":
            return kind, value
        name, level, message = value
        logging.getLogger(name).log(level, "%s", message)


def _send(stream: Any, value: Any) -> None:
    data = pickle.dumps(value)
    stream.write(_SIZE.pack(len(data)) + data)
    stream.flush()


def _receive(stream: Any) -> bytes:
    (size,) = _SIZE.unpack(_exactly(stream, _SIZE.size))
    return _exactly(stream, size)


def _exactly(stream: Any, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _rebuilt(kind: type[BaseException], args: tuple[Any, ...], state: dict[str, Any]) -> Any:
    """An exception from its parts; not through its constructor, which may want other arguments."""
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


def _cause(code: int) -> str:
    if code == -signal.SIGKILL:
        return "it was killed (SIGKILL), perhaps because memory ran out"
    if code < 0:
        return f"it ended by {signal.Signals(-code).name}"
    return f"it ended with exit code {code}"
