"""A step on a Ray cluster: its shards as tasks, each of which reads, computes and writes a file of
its own; then their merge.

A task whose worker or node is lost runs again, perhaps elsewhere, and resumes with what its
journal holds, so nothing is done twice but the image that was being worked on.  When the head or
the driver is lost, the same command resumes likewise.  The nodes need the package, the photos and
the output folder under the same paths: a shared file system.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..core.progress import progress
from ..io.store import merge
from .shards import Shard, shard_count

logger = logging.getLogger(__name__)

SHARDS_PER_WORKER = 4  # the last shards to end keep few workers idle
RETRIES = 5  # of a shard whose worker is lost
_WATCHED = 1000  # shards, those that began first
_GPU_CORES = 4  # per task with a GPU: threads that decode


class EngineError(RuntimeError):
    """Shards that could not be done.  What was done counts: the same command resumes."""


def run_on_ray(
    step: Callable[..., Path],
    path: Path | str,
    *,
    shards: int | None = None,
    device: str = "auto",
    overwrite: bool = False,
) -> Path:
    """Run a step in shards on a Ray cluster and merge their files into ``path``, its output.

    step    a step's ``main`` with all but ``shard``, ``workers`` and ``device``, fit to be pickled
    shards  how many; None for those of an earlier run, or `SHARDS_PER_WORKER` per worker
    device  "auto" takes a GPU per task if the cluster has any, "cpu" a core, "cuda" a GPU
    overwrite  whether a file of another configuration is replaced, see `merge`

    The cluster is the one that ``RAY_ADDRESS`` names; without it one is started on this machine.
    The files of the shards stay, for later runs to resume with.  Raises `EngineError`,
    `StoreError`, and ImportError without Ray.
    """
    ray = import_ray()
    path = Path(path).absolute()
    started = not ray.is_initialized()
    if started:
        _connect(ray)
    try:
        have = ray.cluster_resources()
        gpus = int(have.get("GPU", 0)) if device != "cpu" else 0
        if device.startswith("cuda") and not gpus:
            raise EngineError("the Ray cluster has no GPU: take --device cpu, or add nodes")
        cores = _GPU_CORES if gpus else 1
        workers = gpus or max(1, int(have.get("CPU", 1)))
        count = shards or shard_count(path) or SHARDS_PER_WORKER * workers
        task = ray.remote(num_cpus=cores, num_gpus=1 if gpus else 0, max_retries=RETRIES)(_run)
        how = {"workers": cores, "device": "cuda" if gpus else "cpu"}
        parts = [Shard(k, count) for k in range(1, count + 1)]
        here = os.getcwd()
        refs = {task.remote(step, {**how, "shard": part}, here): part for part in parts}
        files = _collect(ray, refs)
    finally:
        if started:
            ray.shutdown()
    merge(path, [files[part] for part in parts], overwrite=overwrite)
    return path


def _run(step: Callable[..., Path], options: dict[str, Any], folder: str) -> Path:
    os.chdir(folder)  # relative paths mean what they mean to the driver
    return step(**options).absolute()


def _collect(ray: Any, refs: dict[Any, Shard]) -> dict[Shard, Path]:
    """The files of all shards, as they end; those that fail do not keep the others from it."""
    files: dict[Shard, Path] = {}
    failed: dict[Shard, str] = {}
    waiting = list(refs)
    with progress(None, "shards", total=len(refs), unit="shard") as bar:
        while waiting:
            # Ray looks at all that it is given: tens of thousands of shards each time are too many.
            (done,), not_done = ray.wait(waiting[:_WATCHED], num_returns=1)
            waiting[:_WATCHED] = not_done
            part = refs[done]
            try:
                files[part] = ray.get(done)
            except ray.exceptions.RayTaskError as error:
                failed[part] = str(error.cause)
            except ray.exceptions.RayError as error:
                failed[part] = f"its worker was lost {RETRIES + 1} times ({type(error).__name__})"
            if part in failed:
                logger.warning("shard %d/%d: %s", part.index, part.count, failed[part])
            bar.update()
    if failed:
        part, reason = next(iter(failed.items()))
        raise EngineError(
            f"{len(failed)} of {len(refs)} shards failed, first {part.index}/{part.count}: "
            f"{reason}; the others are done: start the same command again"
        )
    return files


def _connect(ray: Any) -> None:
    local = {} if os.environ.get("RAY_ADDRESS") else {"include_dashboard": False}
    try:
        ray.init(logging_level="WARNING", log_to_driver=False, **local)
    except (ConnectionError, RuntimeError, TimeoutError) as error:
        raise EngineError(f"cannot reach or start a Ray cluster: {error}") from error


def import_ray() -> Any:
    """Import Ray.  Raises ImportError that says how to install it."""
    try:
        import ray
    except ImportError as error:
        raise ImportError("the Ray engine needs Ray: pip install 'dad_sfm[ray]'") from error
    return ray
