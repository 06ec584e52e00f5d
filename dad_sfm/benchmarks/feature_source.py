"""Where a benchmark's features come from: a preset or a feature file, and perhaps a descriptor."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import extract_features
from ..core.config import ConfigError
from ..descriptors import DESCRIPTORS
from ..execution.extractor import licences
from . import describe_features
from .datasets.base import Dataset


@dataclass(frozen=True)
class FeatureSource:
    """What to judge.

    features    a preset of `extract_features.confs`, or a feature file of hloc's schema (``*.h5``)
    weights     checkpoint of the preset's detector
    descriptor  one of `descriptors.DESCRIPTORS`, in place of the features' own
    changes     other values for options of the preset's detector, and their names
    """

    features: str | Path
    weights: str | None = None
    descriptor: str | None = None
    changes: tuple[tuple[str, Any], ...] = ()

    @property
    def is_file(self) -> bool:
        return Path(self.features).suffix in {".h5", ".hdf5"}

    @property
    def label(self) -> str:
        """What tables and files call it: the preset (``preset@checkpoint`` with other weights,
        ``preset@run-weights`` with those of a run, ``preset,option=value`` with other options) or
        the name of the feature file; with another descriptor, ``detector+descriptor``."""
        return self._points if self.descriptor is None else f"{self._points}+{self.descriptor}"

    @property
    def _points(self) -> str:
        """The label of the points alone where another descriptor describes them."""
        name = Path(self.features).stem if self.is_file else str(self.features)
        if self.descriptor is not None:
            name = name.partition("+")[0]
        if self.is_file:
            return name
        name += "".join(f",{option}={value}" for option, value in self.changes)
        if self.weights is None:
            return name
        checkpoint = Path(self.weights)
        # A run calls its files alike, whatever it has learned.
        of_a_run = checkpoint.stem in {"weights", "best"} and checkpoint.parent.name
        return f"{name}@{f'{of_a_run}-' if of_a_run else ''}{checkpoint.stem}"

    @property
    def preset(self) -> dict[str, Any]:
        """The preset.  Raises `ConfigError`."""
        return extract_features.preset(str(self.features))

    @property
    def terms(self) -> list[str]:
        """Under which terms the features may be used, as far as it is known."""
        own = [] if self.descriptor is None else [DESCRIPTORS.plugin(self.descriptor).licence.terms]
        if self.is_file:
            return ["that of the tool that made the file", *own]
        return [*(licence.terms for licence in licences(self.preset["model"])), *own]

    def ensure_features(
        self, dataset: Dataset, cache_dir: Path, max_keypoints: int, *, overwrite: bool, device: str
    ) -> Path:
        """Return the feature file: the given one, or at most ``max_keypoints`` per image of the
        benchmark, extracted and described under ``cache_dir``."""
        # Images of another folder may have the same names.
        place = (
            cache_dir / hashlib.sha256(str(dataset.image_dir.resolve()).encode()).hexdigest()[:8]
        )
        path = Path(self.features)
        if not self.is_file:
            path = extract_features.main(
                self._conf(max_keypoints),
                dataset.image_dir,
                feature_path=cache_dir
                / place
                / "extracted"
                / f"{self._points}-n{max_keypoints}.h5",
                image_list=dataset.names,
                overwrite=overwrite,
                device=device,
            )
        if self.descriptor is None:
            return path
        return describe_features.main(
            path,
            dataset.image_dir,
            {"name": self.descriptor},
            place / "described" / f"{self.label}-n{max_keypoints}.h5",
            image_list=dataset.names,
            overwrite=overwrite,
            device=device,
        )

    def _conf(self, max_keypoints: int) -> dict[str, Any]:
        """The preset at a budget; without its descriptor where another takes its place."""
        model = {**self.preset["model"], "max_keypoints": max_keypoints}
        model |= dict(self.changes)
        if self.weights is not None:
            model["weights"] = self.weights
        if self.descriptor is not None:
            model.pop("descriptor", None)
        return {**self.preset, "model": model}


def check_labels(sources: Sequence[FeatureSource]) -> None:
    """Raises `ConfigError` if results of several sources would have one name."""
    counts = Counter(source.label for source in sources)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise ConfigError(
            f"several of the features are called {', '.join(twice)}, and so would be their "
            "results; give each file a name of its own"
        )
