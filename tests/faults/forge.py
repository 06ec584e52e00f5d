"""Runs of the command line in which something goes wrong on purpose.

A `Forge` is a process that has everything imported; each run is a child that it forks, so that
hundreds of runs cost no more than their work.  The forge is started with a shim (`shim.c`) that can
end a run at any call that changes a file.
"""

from __future__ import annotations

import ctypes
import faulthandler
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TIMEOUT = float(
    os.environ.get("FAULTS_TIMEOUT", "120")
)  # seconds, after which a run counts as hanging


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    code     exit code, or minus the signal that ended it; None for a hang
    calls    how many calls changed a file under the watched folder
    text     standard output and error
    """

    code: int | None
    calls: int
    text: str

    @property
    def traceback(self) -> bool:
        return "Traceback (most recent call last)" in self.text

    @property
    def crashed(self) -> bool:
        """Whether the process died of a signal that was not ours."""
        return self.code is None or (self.code < 0 and self.code != -signal.SIGKILL)


def build_shim(folder: Path) -> Path:
    """Compile the shim."""
    target = folder / "shim.so"
    command = ["cc", "-O1", "-shared", "-fPIC", "-o", target, HERE / "shim.c", "-ldl"]
    subprocess.run(command, check=True)
    return target


class Forge:
    """The process that forks runs, as seen from outside."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "run.log"
        paths = [str(HERE.parents[1]), str(HERE.parent)]
        env = {
            **os.environ,
            "LD_PRELOAD": str(build_shim(folder)),
            "PYTHONPATH": os.pathsep.join(paths),
            **{f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS")},
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.forge", self._log],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self,
        *argv: object,
        watch: Path | None = None,
        fatal_call: int = 0,
        half: bool = False,
        worker_call: int = 0,
        kill_after: float | None = None,
        memory: int | None = None,
        memory_after: float | None = None,
        meddle: Callable[[], None] | None = None,
        meddle_after: float = 0.0,
    ) -> Outcome:
        """Run ``dad-sfm`` with these arguments.

        watch       folder whose changes are counted
        fatal_call  number of the change at which the run is killed; with ``half`` in the middle
        worker_call  likewise in each process that the run starts
        kill_after  seconds after which it is killed
        memory      bytes that it may allocate beyond what it has at the start, or, with
                    ``memory_after``, beyond what it has so many seconds later
        meddle      called while it runs, ``meddle_after`` seconds after the start
        """
        job = {
            "argv": [str(a) for a in argv],
            "watch": "" if watch is None else str(watch),
            "fatal_call": fatal_call,
            "half": half,
            "worker_call": worker_call,
            "kill_after": kill_after,
            "memory": memory,
            "memory_after": memory_after,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        if meddle is not None:
            time.sleep(meddle_after)
            meddle()
        found = json.loads(self._process.stdout.readline())
        text = self._log.read_text(encoding="utf-8", errors="replace")
        return Outcome(found["code"], found["calls"], text)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def __enter__(self) -> Forge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


# ------------------------------------------------------------------------ inside the process
def _serve(log: Path) -> None:
    import fakes  # noqa: F401
    import numpy as np
    import pycolmap  # noqa: F401

    import dad_sfm.cli  # noqa: F401
    from dad_sfm import database, extract_features, match_features, reconstruction  # noqa: F401
    from dad_sfm.descriptors import DESCRIPTORS
    from dad_sfm.detectors import DETECTORS
    from dad_sfm.io.photo_formats import register_plugins

    register_plugins()
    np.linalg.svd(np.eye(3))  # loads what is loaded late
    DETECTORS.add("bright-dots", "fakes:BrightDots")
    DESCRIPTORS.add("position", "fakes:Position")
    DETECTORS.plugin("bright-dots")
    for line in sys.stdin:
        job = json.loads(line)
        code, calls = _forked(job, log)
        print(json.dumps({"code": code, "calls": calls}), flush=True)


def _forked(job: dict[str, Any], log: Path) -> tuple[int | None, int]:
    receive, send = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(receive)
        _child(job, log, send)
    os.close(send)
    start = time.monotonic()
    limit = TIMEOUT if job["kill_after"] is None else job["kill_after"]
    squeeze_at = job["memory_after"]
    while not (waited := os.waitpid(pid, os.WNOHANG))[0]:
        if time.monotonic() - start > limit:
            if job["kill_after"] is None:  # it hangs: where?
                os.kill(pid, signal.SIGUSR1)
                time.sleep(0.5)
            os.kill(pid, signal.SIGKILL)
            waited = os.waitpid(pid, 0)
            break
        if squeeze_at is not None and time.monotonic() - start > squeeze_at:
            _squeeze(pid, job["memory"])
            squeeze_at = None
        time.sleep(0.002)
    with os.fdopen(receive) as pipe:
        calls = int(pipe.read() or 0)
    code = os.waitstatus_to_exitcode(waited[1])
    hung = job["kill_after"] is None and time.monotonic() - start > TIMEOUT
    return (None if hung else code), calls


def _squeeze(pid: int, memory: int) -> None:
    """Let a process allocate only so many more bytes than it has."""
    try:
        limit = allocated(pid) + memory
        resource.prlimit(pid, resource.RLIMIT_AS, (limit, limit))
    except (ProcessLookupError, FileNotFoundError, IndexError):
        pass  # it has ended


def allocated(pid: int) -> int:
    """Bytes of address space of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def _child(job: dict[str, Any], log: Path, send: int) -> None:
    from dad_sfm.cli import main

    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.register(signal.SIGUSR1, file=target)
    if job["memory"] is not None and job["memory_after"] is None:
        _squeeze(os.getpid(), job["memory"])
    if job["worker_call"]:
        os.environ.update(FAULTS_FOLDER=job["watch"], FAULTS_CALL=str(job["worker_call"]))
    shim = ctypes.CDLL(None)
    shim.faults_arm(job["watch"].encode(), ctypes.c_long(job["fatal_call"]), int(job["half"]))
    try:
        code = main(job["argv"])
    except SystemExit as leave:
        code = leave.code if isinstance(leave.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    shim.faults_calls.restype = ctypes.c_long
    os.write(send, str(shim.faults_calls()).encode())
    os._exit(code)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
