"""Work done ahead in threads, a bounded way ahead: memory does not grow with the collection."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from ..core.memory import THREAD, ensure_memory

Item = TypeVar("Item")
Result = TypeVar("Result")


def prefetch(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    workers: int | None = None,
    initializer: Callable[[], object] | None = None,
) -> Generator[tuple[Item, Future[Result]], None, None]:
    """Each item with the finished future of ``function(item)``, in the order of the items.

    workers      threads; None for one per core, but 8 at most; with 0 there are none, and the
                 calling thread does the work when it asks for it
    initializer  is called first in every thread

    At most ``2 * workers`` results exist ahead of the consumer.  Threads are enough for what lets
    go of the interpreter lock (decoding, resizing, reading files, torch).  An exception stays in
    its future: ``result()`` raises it there, and the other items are not touched.  Raises
    MemoryError when there is none for the threads.
    """
    if workers is None:
        workers = min(8, os.cpu_count() or 1)
    if workers == 0:
        for item in items:
            yield item, _done(function, item)
        return
    ensure_memory(workers * THREAD, f"{workers} threads" if workers > 1 else "a thread")
    started: list[int] = []

    def begin() -> None:
        started.append(threading.get_ident())
        if initializer is not None:
            initializer()

    pool = ThreadPoolExecutor(workers, initializer=begin)
    pending: deque[tuple[Item, Future[Result]]] = deque()
    try:
        for item in items:
            if len(started) < workers:  # `submit` may start one, and would wait for it for ever
                ensure_memory(THREAD, "a thread")
            pending.append((item, pool.submit(function, item)))
            if len(pending) > 2 * workers:
                yield _finished(pending)
        while pending:
            yield _finished(pending)
    finally:
        pool.shutdown(cancel_futures=True)


def _done(function: Callable[[Item], Result], item: Item) -> Future[Result]:
    future: Future[Result] = Future()
    try:
        future.set_result(function(item))
    except Exception as error:
        future.set_exception(error)
    return future


def _finished(pending: deque[tuple[Item, Future[Result]]]) -> tuple[Item, Future[Result]]:
    item, future = pending.popleft()
    future.exception()  # waits
    return item, future
