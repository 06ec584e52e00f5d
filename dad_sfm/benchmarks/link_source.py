"""Where a benchmark's links come from: the truth, a matcher preset, or a match file of any tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import match_features
from ..core.config import ConfigError
from ..evaluation.linking import BudgetLinker, FileLinker, Linker, TruthLinker
from ..evaluation.ranking import ranked
from ..io.store import FeatureReader, FeatureWriter, MatchReader
from ..matchers import MATCHERS
from .datasets.base import Dataset
from .judge import check_descriptors, check_truth

TRUTH = "truth"


@dataclass(frozen=True)
class LinkSource:
    """What links keypoints.

    name     ``truth``, or a preset of `match_features.confs`
    options  changes to the preset's model, such as ``{"weights": "roma_outdoor.pth"}``
    file     a match file, in place of them
    """

    name: str
    options: Mapping[str, Any]
    file: Path | str | None = None
    device: str = "auto"

    @property
    def label(self) -> str:
        """What tables and files call it."""
        return self.name if self.file is None else Path(self.file).stem

    @property
    def preset(self) -> dict[str, Any]:
        """The matcher preset with the changed options.  Raises `ConfigError`."""
        if self.name not in match_features.confs:
            names = ", ".join([TRUTH, *sorted(match_features.confs)])
            raise ConfigError(f"unknown linker {self.name!r}; there are: {names}")
        preset = match_features.confs[self.name]
        return {**preset, "model": {**preset["model"], **self.options}}

    def check(self, dataset: Dataset) -> None:
        """Raises `ConfigError` for unknown names and options, `NoTruthError` where the truth cannot
        link; before anything is extracted."""
        if self.file is not None:
            return
        if self.name != TRUTH:
            MATCHERS.conf(self.preset["model"])
            return
        if self.options:
            raise ConfigError(f"the linker {TRUTH} takes no options: {', '.join(self.options)}")
        check_truth(dataset)

    def linker(
        self,
        dataset: Dataset,
        features: Path,
        budgets: Sequence[int],
        folder: Path,
        stack: ExitStack,
    ) -> Linker:
        """The linker of a feature file: a matcher matches here, into files under ``folder``, so
        that what judges never runs a model.  ``stack`` closes the files."""
        if self.file is not None:
            return FileLinker(stack.enter_context(MatchReader(self.file)))
        if self.name == TRUTH:
            return TruthLinker()
        files = match_files(self.preset, dataset, features, budgets, folder, device=self.device)
        readers = {budget: stack.enter_context(MatchReader(path)) for budget, path in files.items()}
        made = next(iter(readers.values())).provenance
        return BudgetLinker(readers, {**made["matcher"], **made["identity"]["matcher"]})


def match_files(
    preset: Mapping[str, Any],
    dataset: Dataset,
    features: Path,
    budgets: Sequence[int],
    folder: Path,
    *,
    device: str = "auto",
) -> dict[int, Path]:
    """Match the pairs of a benchmark at every budget, among the best features of that number.

    Returns the match file of each budget, ``folder/<budget>.h5``; its rows are those of the
    features sorted by their scores.  Raises what `match_features.main` raises, and
    `MatchingError` when a single pair fails.
    """
    pairs = list(dict.fromkeys((p.name_a, p.name_b) for task in dataset.tasks for p in task.pairs))
    if MATCHERS.plugin(preset["model"]["name"]).needs_descriptors:
        with FeatureReader(features) as reader:
            check_descriptors(reader, dataset)
    paths = {}
    for budget in budgets:
        cut = _cut(features, dataset.names, budget, folder / f"features-{budget}.h5")
        path = folder / f"{budget}.h5"
        path.unlink(missing_ok=True)
        paths[budget] = match_features.main(
            preset,
            pairs,
            cut,
            matches=path,
            image_dir=dataset.image_dir,
            device=device,
        )
        cut.unlink()
        with MatchReader(paths[budget]) as found:
            for pair, reason in found.failures.items():
                raise match_features.MatchingError(f"{pair} could not be matched: {reason}")
    return paths


def _cut(features: Path, names: Sequence[str], budget: int, path: Path) -> Path:
    """The best features of each image, at most ``budget``, as exact as they were."""
    with FeatureReader(features) as reader:
        made = reader.provenance or {"file": reader.path.name}
        with FeatureWriter(path, {**made, "budget": budget}, overwrite=True) as writer:
            for name in names:
                best = ranked(name, reader.read(name)).top(budget)
                half = best.descriptors is not None and best.descriptors.dtype.itemsize == 2
                writer.write(name, best, as_half=half)
    return path
