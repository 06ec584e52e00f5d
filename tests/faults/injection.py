"""The faults: death at every write, death at random moments, full disks, little memory, folders
that vanish, photos that change."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from itertools import product
from pathlib import Path

from faults.forge import Forge
from faults.workload import Step, Tally, contents
from PIL import Image, ImageOps


def die_at_every_write(
    forge: Forge, step: Step, out: Path, *, every: int = 1, halves: bool = True
) -> Tally:
    """Kill a run at each call in turn that changes a file, before it and in the middle of it."""
    tally = Tally()
    step.prepare(out)
    calls = forge.run(*step.command(out), watch=out).calls
    assert calls > 10, "the shim has counted nothing"
    for call in range(1, calls + 1, every):
        for half in (False, True) if halves else (False,):
            where = f"call {call} of {calls}{', half of it' if half else ''}"
            step.prepare(out)
            outcome = forge.run(*step.command(out), watch=out, fatal_call=call, half=half)
            tally.add(outcome, where)
            step.check_left(out, tally, where)
            step.rerun(forge, out, tally, where)
    return tally


def lose_workers(forge: Forge, step: Step, out: Path, *, times: int) -> Tally:
    """Kill the processes that a run starts, at changes spread over all that they make."""
    tally = Tally()
    for k in range(times):
        call = round(1.35**k) + k  # the first ones densely
        where = f"call {call} of a worker"
        step.prepare(out)
        outcome = forge.run(*step.command(out), watch=out, worker_call=call)
        if outcome.code == 0:  # it made fewer
            break
        tally.add(outcome, where)
        if "crashed" not in outcome.text:
            tally.note("refused", where, f"no clear message: {outcome.text}")
        step.check_left(out, tally, where)
        step.rerun(forge, out, tally, where)
    return tally


def die_at_random(forge: Forge, step: Step, out: Path, *, times: int, seed: int = 0) -> Tally:
    """Kill runs at moments spread over their duration; half of them are killed again and again."""
    tally, rng = Tally(), random.Random(seed)
    duration = _duration(forge, step, out)
    for k in range(times):
        after = rng.uniform(0, duration)
        where = f"{after:.3f} of {duration:.3f} s"
        if k % 2 == 0:
            step.prepare(out)
        tally.add(forge.run(*step.command(out), kill_after=after), where)
        step.check_left(out, tally, where)
        if k % 2 or k == times - 1:
            step.rerun(forge, out, tally, where)
    return tally


def _duration(forge: Forge, step: Step, out: Path) -> float:
    """Seconds of a run without a fault."""
    step.prepare(out)
    start = time.monotonic()
    forge.run(*step.command(out))
    return time.monotonic() - start


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    """A disk of ``size`` bytes at ``folder`` (tmpfs; needs root)."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def fill_disk(forge: Forge, step: Step, disk: Path, sizes: Iterable[int]) -> Tally:
    """Run on disks of given sizes, then with room."""
    tally = Tally()
    for size in sizes:
        where, out = f"a disk of {size} bytes", disk / "out"
        with small_disk(disk, size + sum(p.stat().st_size + 4096 for p in step.given)):
            step.prepare(out)
            outcome = forge.run(*step.command(out))
            if outcome.code != 0:
                tally.add(outcome, where)
                if "make room" not in outcome.text and "No space left" not in outcome.text:
                    tally.note("refused", where, f"no clear message: {outcome.text}")
            step.check_left(out, tally, where)
            subprocess.run(["mount", "-o", "remount,size=256m", disk], check=True)
            step.rerun(forge, out, tally, where)
    return tally


def starve(forge: Forge, step: Step, out: Path, allowances: Iterable[int]) -> Tally:
    """Run with little memory, then with enough."""
    tally = Tally()
    for memory in allowances:
        where = f"{memory >> 10} KB of memory"
        step.prepare(out)
        tally.add(forge.run(*step.command(out), memory=memory), where)
        step.check_left(out, tally, where)
        step.rerun(forge, out, tally, where)
    return tally


def squeeze(
    forge: Forge, step: Step, out: Path, moments: Iterable[float], allowances: Iterable[int]
) -> Tally:
    """Take memory away from a run at given moments, as shares of its time; then run with enough."""
    tally, duration = Tally(), _duration(forge, step, out)
    for share, memory in product(moments, allowances):
        moment = share * duration
        where = f"{memory >> 10} KB of memory after {moment:.2f} s"
        step.prepare(out)
        outcome = forge.run(*step.command(out), memory=memory, memory_after=moment)
        if outcome.code == 0:
            continue
        if outcome.crashed and outcome.code is not None:
            tally.faults += 1
            tally.aborted += 1
        else:
            tally.add(outcome, where)
        step.check_left(out, tally, where)
        step.rerun(forge, out, tally, where)
    return tally


def change_photo(forge: Forge, step: Step, out: Path, photo: Path, moments: list[float]) -> Tally:
    """Change a photo while its folder is worked on, at given moments, as shares of the run's time;
    half of it first, every other time.

    The rerun must hold the features of the photo that is there then.
    """
    tally, before = Tally(), photo.read_bytes()
    after = BytesIO()
    ImageOps.mirror(Image.open(photo)).save(after, "PNG")
    photo.write_bytes(after.getvalue())
    step.prepare(out)
    forge.run(*step.command(out))
    changed = replace(step, expected=contents(out / step.name))
    duration = _duration(forge, step, out)
    for k, share in enumerate(moments):
        moment = share * duration
        where = f"photo changed after {moment:.2f} s"
        photo.write_bytes(before)
        step.prepare(out)
        new = after.getvalue()[: len(after.getvalue()) // 2] if k % 2 else after.getvalue()
        outcome = forge.run(
            *step.command(out), meddle=lambda new=new: photo.write_bytes(new), meddle_after=moment
        )
        tally.add(outcome, where)
        photo.write_bytes(after.getvalue())
        changed.rerun(forge, out, tally, where)
    photo.write_bytes(before)
    return tally


def delete_output(forge: Forge, step: Step, out: Path, moments: Iterable[float]) -> Tally:
    """Delete the output folder while it is written, at given moments, as shares of the time."""
    tally, duration = Tally(), _duration(forge, step, out)
    for share in moments:
        moment = share * duration
        where = f"OUT deleted after {moment:.2f} s"
        step.prepare(out)
        outcome = forge.run(
            *step.command(out),
            meddle=lambda: shutil.rmtree(out, ignore_errors=True),
            meddle_after=moment,
        )
        tally.add(outcome, where)
        step.check_left(out, tally, where)
        for path in step.given:
            out.mkdir(exist_ok=True)
            shutil.copy(path, out / path.name)
        step.rerun(forge, out, tally, where)
    return tally
