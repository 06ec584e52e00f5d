"""Networks with published weights: which file, strictly into the network, ready for inference."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from ..core.device import choose_device
from .checkpoints import CheckpointError, load_state_dict, resolve, sha256_of

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Published:
    """A checkpoint that its authors publish.

    name       of the network with these weights, in messages and identities
    url        its address; None where its licence forbids to fetch it for the user
    filename   its name, by default the end of ``url``
    sha256     its digest, where it is known
    page       where the user may fetch what has no ``url``
    inside     the entry of the file under which the tensors stand
    part       prefix of the keys of the network in a file that may hold other networks beside it
    constants  keys of the network that the file does not hold
    rename     from the file's keys to the network's
    """

    name: str
    url: str | None = None
    filename: str | None = None
    sha256: str | None = None
    page: str | None = None
    inside: str | None = None
    part: str | None = None
    constants: frozenset[str] = frozenset()
    rename: Callable[[str], str] | None = None

    def find(self, source: Path | str | None = None) -> Path:
        """The local file, or ``source`` instead, downloaded if need be; see `resolve`."""
        return resolve(
            source, url=self.url, filename=self.filename, sha256=self.sha256, page=self.page
        )


def load_pretrained(
    network: Network, published: Published, source: Path | str | None, *, device: str = "cpu"
) -> tuple[Network, dict[str, Any]]:
    """The network with its weights, on its device and ready for inference, and its identity.

    source  a local path or a URL of a checkpoint of that network; None for the published one

    Raises `CheckpointError` when it cannot be had, or does not fit.
    """
    path = published.find(source)
    digest = load_weights(
        network,
        path,
        name=published.name,
        inside=published.inside,
        part=published.part,
        constants=published.constants,
        rename=published.rename,
    )
    network = network.to(choose_device(device)).eval().requires_grad_(False)
    return network, {"name": published.name, "weights": digest}


def load_weights(
    network: nn.Module,
    path: Path | str,
    *,
    name: str | None = None,
    inside: str | None = None,
    part: str | None = None,
    constants: Set[str] = frozenset(),
    rename: Callable[[str], str] | None = None,
) -> str:
    """Fill ``network`` with a checkpoint, strictly; returns the SHA-256 of the file.

    name       of the network in messages, by default its class
    inside     see `load_state_dict`
    part       prefix of the keys that are the network's; where no key has it, all are
    constants  keys of the network that the file need not hold
    rename     from the file's keys to the network's

    The file is ``.safetensors`` or a torch checkpoint and holds tensors only; half precision is
    cast to the type of the network.  Raises `CheckpointError` that names the keys which do not fit.
    """
    state = load_state_dict(path, inside=inside)
    if part is not None and any(key.startswith(part) for key in state):
        state = {k.removeprefix(part): v for k, v in state.items() if k.startswith(part)}
    if rename is not None:
        state = {rename(key): value for key, value in state.items()}
    own = network.state_dict()
    problems = {
        "missing": sorted(own.keys() - state.keys() - constants),
        "unexpected": sorted(state.keys() - own.keys()),
        "of another shape": sorted(
            f"{key} {tuple(state[key].shape)}, expected {tuple(own[key].shape)}"
            for key in own.keys() & state.keys()
            if own[key].shape != state[key].shape
        ),
        "not finite": sorted(key for key, v in state.items() if not torch.isfinite(v).all()),
    }
    found = [f"{what}: {', '.join(keys)}" for what, keys in problems.items() if keys]
    if found:
        kind = name or type(network).__name__
        raise CheckpointError(f"{path}: not a checkpoint of {kind}; " + "; ".join(found))
    network.load_state_dict(state, strict=not constants)
    return sha256_of(path)
