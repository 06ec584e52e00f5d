"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "problem"]


@dataclass(frozen=True)
class Finding:
    """What was found.

    level   "ok"; "note" for what some plug-ins lack; "problem" for what breaks runs
    remedy  what to do about it
    """

    level: Level
    topic: str
    text: str
    remedy: str | None = None
