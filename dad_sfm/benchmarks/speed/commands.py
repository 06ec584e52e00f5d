"""Whole commands in processes of their own: how soon they start, two checkouts side by side."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from .timing import Timing

CHECKOUT = Path(__file__).parents[3]


def start_up(image_dir: Path, work: Path, *, repeats: int) -> dict[str, Timing]:
    """Seconds until the help is there, and until the features of one photo are."""
    first = work / "first"
    first.mkdir(exist_ok=True)
    photo = min(p for p in image_dir.iterdir() if p.is_file())
    shutil.copy(photo, first / photo.name)
    out = work / "first.h5"
    extract = ["extract", str(first), "--feature-path", str(out), "--overwrite"]
    return _turns(
        {
            "dad-sfm --help": lambda: command(CHECKOUT, ["--help"]),
            "features of the first photo": lambda: command(CHECKOUT, extract),
        },
        repeats,
    )


def reconstructions(
    image_dir: Path, checkouts: dict[str, Path], work: Path, *, repeats: int
) -> dict[str, Timing]:
    """Photos to model by each checkout of this project, its own defaults."""

    def run(name: str) -> None:
        out = work / name
        shutil.rmtree(out, ignore_errors=True)
        command(checkouts[name], ["reconstruct", str(image_dir), "--out", str(out)])

    return _turns({name: partial(run, name) for name in checkouts}, repeats)


def command(checkout: Path, arguments: Sequence[str]) -> None:
    """Run the command line of a checkout.  Raises `subprocess.CalledProcessError`."""
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    subprocess.run(
        [sys.executable, "-m", "dad_sfm", *arguments],
        cwd=checkout,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _turns(runs: dict[str, Callable[[], None]], repeats: int) -> dict[str, Timing]:
    """As `timing.interleaved`, with the processor's seconds of the child processes."""
    cpu: dict[str, list[float]] = {name: [] for name in runs}
    wall: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(repeats + 1):
        for name, run in runs.items():
            before = _children(), time.perf_counter()
            run()
            if turn:  # the first warms up
                cpu[name].append(_children() - before[0])
                wall[name].append(time.perf_counter() - before[1])
    return {name: Timing(tuple(cpu[name]), tuple(wall[name])) for name in runs}


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
