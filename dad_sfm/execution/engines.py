"""Where a step runs: on this machine, or on a Ray cluster."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

ENGINES = ("local", "ray")


def default_engine() -> str:
    """The engine that the environment variable ``ENGINE`` names."""
    return os.environ.get("ENGINE") or "local"


def check_engine(engine: str) -> None:
    """Raise ValueError for an unknown engine, ImportError without Ray."""
    if engine not in ENGINES:
        raise ValueError(f"no such engine: {engine!r}; ENGINE is {' or '.join(ENGINES)}")
    if engine == "ray":
        from .ray_engine import import_ray

        import_ray()


def run_on(
    engine: str,
    step: Callable[..., Path],
    path: Path,
    *,
    device: str = "auto",
    workers: int | None = None,
    overwrite: bool = False,
) -> Path:
    """Run a step, which writes ``path``, on an engine.

    step       its ``main``, with all but ``device``, ``workers`` and ``shard``
    workers    threads; on Ray the cluster decides
    overwrite  whether the step may start over a file of another configuration
    """
    check_engine(engine)
    if engine == "local":
        return step(device=device, workers=workers)
    from .ray_engine import run_on_ray

    return run_on_ray(step, path, device=device, overwrite=overwrite)
