"""Asking for memory before code runs that does not survive its lack.

HDF5 crashes when it cannot allocate while it opens a file, and CPython waits forever for a thread
that ran out of memory before it said that it runs.  Neither can be caught, so what they need is
asked for first, where its lack is still an exception.
"""

from __future__ import annotations

import mmap

MB = 1 << 20
THREAD = 16 * MB  # address space: its stack, and what it allocates until it runs


def ensure_memory(size: int, purpose: str) -> None:
    """Raise MemoryError unless ``size`` more bytes can be allocated now.

    purpose  what needs them, for the message

    The pages are not touched, so this costs microseconds.  It sees limits of the address space
    (``ulimit -v``, batch systems); the limit of a container ends a process without asking.
    """
    try:
        mmap.mmap(-1, size).close()
    except OSError as error:
        raise MemoryError(
            f"out of memory: {purpose} needs {size // MB} MB, which this process cannot have"
        ) from error
