"""A Ray cluster whose head is killed in mid-run: the same command resumes on another one."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from dot_pictures import described, dots, save

from dad_sfm import extract_features
from dad_sfm.io.store import inspect
from dad_sfm.io.store.journal import journal_path

TESTS = Path(__file__).parents[1]
IMAGES = 24
QUICK = {  # seconds until a process gives up a head that is gone
    "RAY_gcs_rpc_server_reconnect_timeout_s": "2",
    "RAY_gcs_server_request_timeout_seconds": "2",
    "RAY_worker_niceness": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
}


@contextmanager
def head(env: dict[str, str]) -> Iterator[tuple[str, Callable[[], None]]]:
    """A cluster of one node with two cores: its address, and what kills all of its processes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tempfile.mkdtemp(prefix="ray")  # short: sockets are in it

    def kill() -> None:
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if folder.encode() in (process / "cmdline").read_bytes():
                    os.kill(int(process.name), signal.SIGKILL)

    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head"]
    options = [f"--port={port}", "--num-cpus=2", "--include-dashboard=false", "--temp-dir", folder]
    subprocess.run(
        [*command, *options, "--disable-usage-stats"], env=env, check=True, capture_output=True
    )
    try:
        yield f"127.0.0.1:{port}", kill
    finally:
        kill()
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing has happened"
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.usefixtures("dot_plugins")
def test_a_killed_head_loses_nothing(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="needs Ray (the extra ray)")
    rng = np.random.default_rng(0)
    for k in range(IMAGES):
        points = rng.uniform(20, 180, (3, 2)).astype(np.float32)
        save(tmp_path / "photos" / f"{k}.png", dots((203, 201), points))
    path, calls = tmp_path / "features.h5", tmp_path / "calls"
    env = {**os.environ, **QUICK, "PYTHONPATH": os.pathsep.join(map(str, (TESTS.parent, TESTS)))}
    driver = [sys.executable, str(TESTS / "ray_steps.py"), str(tmp_path)]

    with head(env) as (address, kill):
        run = subprocess.Popen(driver, env={**env, "RAY_ADDRESS": address})
        wait_for(lambda: calls.exists() and len(calls.read_text().splitlines()) >= 8, 60)
        kill()
        assert run.wait(90) != 0
    assert not path.exists()
    assert any(journal_path(p).exists() or p.exists() for p in shards_of(path))
    before = len(calls.read_text().splitlines())

    with head(env) as (address, _):
        subprocess.run(driver, env={**env, "RAY_ADDRESS": address}, check=True, timeout=90)
    whole = extract_features.main(
        described(), tmp_path / "photos", feature_path=tmp_path / "whole.h5"
    )
    assert inspect(path).digest == inspect(whole).digest
    made = len(calls.read_text().splitlines())
    assert before < IMAGES < made <= IMAGES + 4  # those that were in memory when the head died


def shards_of(path: Path) -> list[Path]:
    return [path.with_name(f"features.{k}-of-2.h5") for k in (1, 2)]
