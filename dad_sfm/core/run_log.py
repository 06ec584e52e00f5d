"""A log file for one run, without a change of what the terminal shows."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


class _Pass(logging.Handler):
    """Hands on what would have been shown before the level was lowered for the file."""

    def emit(self, record: logging.LogRecord) -> None:
        logging.getLogger().handle(record)


class _Warnings(logging.Handler):
    """Collects the texts of warnings."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


@contextmanager
def run_log(path: Path) -> Iterator[list[str]]:
    """Append everything the package logs, COLMAP's lines included, to a file.

    Yields a list that grows with the texts of the warnings.
    """
    logger = logging.getLogger("dad_sfm")
    before = logger.level, logger.propagate
    onwards = _Pass(logger.getEffectiveLevel())
    file = logging.FileHandler(path, encoding="utf-8")
    file.setFormatter(logging.Formatter(_FORMAT))
    warnings = _Warnings()
    logger.addHandler(file)
    logger.addHandler(warnings)
    if logger.propagate:
        logger.addHandler(onwards)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    try:
        yield warnings.texts
    finally:
        logger.level, logger.propagate = before
        logger.setLevel(before[0])  # also clears the cache of levels
        logger.removeHandler(onwards)
        logger.removeHandler(warnings)
        logger.removeHandler(file)
        file.close()
