"""One item per core: torch's threads, and what happens without any."""

from __future__ import annotations

import threading
import time

import pytest
import torch

from dad_sfm.execution.cores import available_cores, compute_ahead, one_per_core

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_there_is_a_core() -> None:
    assert available_cores() >= 1


@pytest.mark.parametrize("workers", [1, 3])
def test_each_worker_has_one_thread_and_torch_gets_its_own_back(workers: int) -> None:
    def threads(_: int) -> tuple[int, str]:
        time.sleep(0.01)
        return torch.get_num_threads(), threading.current_thread().name

    found = [future.result() for _, future in one_per_core(threads, range(12), workers=workers)]
    assert {count for count, _ in found} == {1}
    assert len({name for _, name in found}) == workers
    assert torch.get_num_threads() == 2


def test_torch_gets_its_threads_back_from_a_stream_that_is_left() -> None:
    stream = one_per_core(str, range(100), workers=2)
    next(stream)
    stream.close()
    assert torch.get_num_threads() == 2


def test_without_workers_all_is_done_by_the_caller() -> None:
    def where(_: int) -> tuple[int, threading.Thread]:
        return torch.get_num_threads(), threading.current_thread()

    found = {future.result() for _, future in one_per_core(where, range(3), workers=0)}
    assert found == {(2, threading.current_thread())}


def test_an_accelerator_takes_one_at_a_time_in_another_thread() -> None:
    running, most = 0, 0

    def compute(item: int) -> threading.Thread:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.002)
        running -= 1
        return threading.current_thread()

    meta = torch.device("meta")
    threads = {f.result() for _, f in compute_ahead(compute, range(10), device=meta, workers=8)}
    assert most == 1
    assert len(threads) == 1
    assert threading.current_thread() not in threads
    inline = {f.result() for _, f in compute_ahead(compute, range(3), device=meta, workers=0)}
    assert inline == {threading.current_thread()}
