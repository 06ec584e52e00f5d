"""Packages that fetch their weights themselves, by torch.hub: taken from where ours are looked for.

So that they work without a network, and never run code of a checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from .checkpoints import resolve


@contextmanager
def local_checkpoints(known: Mapping[str, Path], *, device: str = "cpu") -> Iterator[None]:
    """Make ``torch.hub.load_state_dict_from_url`` read the ``known`` files for their URLs, and
    look for any other as `resolve` does."""

    def load(url: str, *_: object, **__: object) -> Any:
        path = known[url] if url in known else resolve(None, url=url)
        return torch.load(path, map_location=device, weights_only=True)

    original = torch.hub.load_state_dict_from_url
    torch.hub.load_state_dict_from_url = load
    try:
        yield
    finally:
        torch.hub.load_state_dict_from_url = original
