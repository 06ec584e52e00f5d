"""Network plugs: a name, and a function that makes the untrained network."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn


def _dad() -> nn.Module:
    from .dad import DaD

    return DaD()


def _nano() -> nn.Module:
    from .nano import Nano

    return Nano()


NETWORKS: dict[str, Callable[[], nn.Module]] = {"dad": _dad, "nano": _nano}
