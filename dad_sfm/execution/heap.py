"""A heap that keeps what is freed while networks run.

glibc maps large blocks one by one: each is unmapped when it is freed, and the next one comes back
page by page, zeroed by the kernel.  The maps of a network are all large, so on a CPU a quarter of
its time goes into that.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

# Parameters of mallopt(3), with what is set here and glibc's defaults.
_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8
_KEEPING = ((_TRIM_THRESHOLD, 2**31 - 1), (_MMAP_MAX, 0), (_ARENA_MAX, 1))
_DEFAULTS = ((_TRIM_THRESHOLD, 128 << 10), (_MMAP_MAX, 65536), (_ARENA_MAX, 0))

_users, _lock = 0, threading.Lock()


@contextmanager
def kept_heap() -> Iterator[None]:
    """Keep freed memory for the blocks to come; at the end all of it goes back to the system.

    For the whole process, and for nested or concurrent use; without effect where the C library is
    not glibc.
    """
    global _users
    with _lock:
        _users += 1
        if _users == 1:
            _set(_KEEPING)
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _set(_DEFAULTS)
                if (libc := _glibc()) is not None:
                    libc.malloc_trim(0)


def _set(values: tuple[tuple[int, int], ...]) -> None:
    if (libc := _glibc()) is not None:
        for parameter, value in values:
            libc.mallopt(parameter, value)


@cache
def _glibc() -> Any:
    """The C library of this process; None if it is another one."""
    try:
        libc = ctypes.CDLL(None)
        libc.gnu_get_libc_version  # noqa: B018  (glibc alone has it)
    except (AttributeError, OSError, TypeError):  # TypeError on Windows
        return None
    return libc
