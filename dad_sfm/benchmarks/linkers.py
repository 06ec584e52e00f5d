"""What links keypoints in a benchmark, by name: the truth, a dense matcher, or a matcher preset."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import match_features
from ..core.config import ConfigError
from ..core.device import choose_device
from ..core.types import Features, Matches
from ..evaluation.linking import Linker, MatcherLinker, TruthLinker, WarpLinker
from ..matchers import MATCHERS
from ..matchers.base import View
from ..matchers.dense import DENSE_MATCHERS
from .datasets.base import Dataset
from .judge import check_truth

TRUTH = "truth"


def linker_names() -> list[str]:
    """What `make_linker` takes."""
    return [TRUTH, *DENSE_MATCHERS.names, *sorted(match_features.confs)]


def make_linker(
    name: str, options: Mapping[str, Any], dataset: Dataset, device: str = "auto"
) -> Linker:
    """The linker of a name for the images of a benchmark.

    ``options`` are those of a dense matcher, such as ``{"weights": "roma_outdoor.pth"}``.  Raises
    `ConfigError` for unknown names and options, `NoTruthError` where the truth cannot link.
    """
    chosen = str(choose_device(device))
    if name in DENSE_MATCHERS.names:
        matcher = DENSE_MATCHERS.make({"name": name, **options}, device=chosen)
        return WarpLinker(matcher, dataset.image_dir)
    if options:
        raise ConfigError(f"the linker {name} takes no options: {', '.join(options)}")
    if name == TRUTH:
        check_truth(dataset)
        return TruthLinker()
    if name not in match_features.confs:
        raise ConfigError(f"unknown linker {name!r}; there are: {', '.join(linker_names())}")
    return _matcher_linker(match_features.confs[name]["model"], dataset.image_dir, chosen)


def _matcher_linker(model: Mapping[str, Any], image_dir: Path, device: str) -> MatcherLinker:
    matcher = MATCHERS.make(model, device=device)

    def match(a: tuple[str, Features], b: tuple[str, Features]) -> Matches:
        return matcher(*(View(image, found, image_dir / image) for image, found in (a, b)))

    identity = {**model, **matcher.identity}
    return MatcherLinker(match, identity, needs_descriptors=matcher.needs_descriptors)
