"""Sound files made unsound, and readers called with them: in processes with bounded memory and
time, so that a crash or a hang is counted and the next input follows."""

from __future__ import annotations

import os
import random
import resource
import signal
import sys
import traceback
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from faults.readers import Target

MEMORY = 2 << 30  # bytes beyond what the process has, for files of a few KB
SECONDS = 10  # of the processor, per input
_VALUES = (0, 1, 0x7F, 0x80, 0xFF)
_CHUNK = 500
_OUTSIDE = "writes outside: "
_CHANGING = frozenset(("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.symlink", "os.link"))


@dataclass
class Verdict:
    """What readers made of changed files.  All but ``inputs`` should be 0.

    tracebacks  other errors than those that the reader may raise
    crashes     native crashes
    hangs       inputs that took longer than `SECONDS`
    outside     files that were made, changed or removed outside the folder of the input
    """

    inputs: int = 0
    tracebacks: int = 0
    crashes: int = 0
    hangs: int = 0
    outside: int = 0
    notes: list[str] = field(default_factory=list)


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Change some bytes, cut the end off, or put a piece of the file elsewhere."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        kind = rng.random()
        at = rng.randrange(len(changed)) if changed else 0
        if not changed:
            break
        if kind < 0.4:
            changed[at] ^= 1 << rng.randrange(8)
        elif kind < 0.7:
            changed[at] = rng.choice((*_VALUES, rng.randrange(256)))
        elif kind < 0.8:  # a number of 4 or 8 bytes, as lengths and offsets are
            size = rng.choice((4, 8))
            number = rng.choice((0, 1, (1 << 31) - 1, (1 << 63) - 1, (1 << 64) - 1, len(data)))
            changed[at : at + size] = (number % (1 << (8 * size))).to_bytes(size, "little")
        elif kind < 0.9:
            start = rng.randrange(len(changed))
            piece = changed[start : start + rng.randrange(1, 64)]
            changed[at : at + (len(piece) if rng.random() < 0.5 else 0)] = piece
        elif kind < 0.95:
            del changed[at : at + rng.randrange(1, 64)]
        else:
            del changed[at:]
    return bytes(changed)


def attack(target: Target, folder: Path, count: int, *, seed: int = 0) -> Verdict:
    """Call a reader with ``count`` changed files."""
    folder.mkdir(parents=True, exist_ok=True)
    verdict = Verdict()
    for start in range(seed, seed + count, _CHUNK):
        numbers = range(start, min(start + _CHUNK, seed + count))
        while numbers:
            done, trouble = _in_child(target, folder, numbers)
            verdict.inputs += done
            kinds = Counter(kind for kind, _ in trouble)
            verdict.tracebacks += kinds["traceback"]
            verdict.crashes += kinds["crash"]
            verdict.hangs += kinds["hang"]
            verdict.outside += kinds["outside"]
            verdict.notes += [f"{kind}: {text}" for kind, text in trouble][:20]
            numbers = numbers[done:]
    return verdict


def _in_child(target: Target, folder: Path, numbers: range) -> tuple[int, list[tuple[str, str]]]:
    """How many inputs were done, and what was wrong."""
    receive, send = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(receive)
        _child(target, folder, numbers, send)
    os.close(send)
    with os.fdopen(receive, encoding="utf-8", errors="replace") as pipe:
        lines = pipe.read().split("\0")[:-1]
    _, status = os.waitpid(pid, 0)
    done = sum(line == "done" for line in lines)
    trouble = [
        ("outside" if line.startswith(_OUTSIDE) else "traceback", line)
        for line in lines
        if line != "done"
    ]
    if done < len(numbers):
        code = os.waitstatus_to_exitcode(status)
        kind = "hang" if code in (-signal.SIGPROF, -signal.SIGXCPU) else "crash"
        trouble.append((kind, f"input {numbers[done]}: ended with {code}"))
        done += 1
    return done, trouble


def _report_outside(folder: str, send: int, event: str, args: tuple[Any, ...]) -> None:
    """An audit hook: Python calls it whenever a file is opened, renamed or removed."""
    if event == "open":
        path, _, flags = args
        changes = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))
    else:
        path, changes = (args or (None,))[0], event in _CHANGING
    if not changes or not isinstance(path, (str, bytes, os.PathLike)):
        return
    place = os.path.abspath(os.fsdecode(path))
    if not place.startswith(folder) and place != os.devnull:
        os.write(send, f"{_OUTSIDE}{event} {place}".encode() + b"\0")


def _child(target: Target, folder: Path, numbers: range, send: int) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    sys.addaudithook(partial(_report_outside, os.path.abspath(folder) + os.sep, send))
    for number in numbers:
        rng = random.Random(number)
        suffix, data = target.seeds[rng.randrange(len(target.seeds))]
        path = folder / f"input{suffix}"
        path.write_bytes(mutate(data, rng))
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        try:
            target.read(path)
        except target.refuses:
            pass
        except BaseException as error:
            where = "".join(traceback.format_tb(error.__traceback__)[-2:])
            text = f"input {number}: {type(error).__name__}: {error} {where}"
            os.write(send, text.replace("\0", " ")[:2000].encode() + b"\0")
        signal.setitimer(signal.ITIMER_PROF, 0)
        os.write(send, b"done\0")
    os._exit(0)
