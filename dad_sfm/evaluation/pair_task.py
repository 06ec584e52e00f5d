"""What the tasks have in common that judge pairs of images one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar

from ..core.progress import progress
from .linking import Pair
from .metric_table import pair_name

P = TypeVar("P", bound=Pair)


@dataclass(frozen=True)
class PairTask(Generic[P]):
    """Pairs, a protocol (a dataclass) that says how they are judged, and a name for tables."""

    pairs: Sequence[P]
    protocol: Any
    name: str

    @property
    def names(self) -> list[str]:
        """The images it needs."""
        return sorted({name for p in self.pairs for name in (p.name_a, p.name_b)})

    @property
    def settings(self) -> dict[str, Any]:
        """How it judges, for the result."""
        return asdict(self.protocol)

    @property
    def items(self) -> tuple[str, ...]:
        """The pairs' names, for tables."""
        return tuple(pair_name(p.name_a, p.name_b) for p in self.pairs)

    def shown(self) -> Iterator[P]:
        """The pairs one by one, with a bar of progress where someone looks."""
        return iter(progress(self.pairs, self.name, unit="pair"))
