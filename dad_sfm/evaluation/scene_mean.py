"""Scenes judged one by one, and the mean over them, in which a scene of few pairs counts as much
as one of many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .linking import Linker
from .metric_table import PERCENT, Measure, MetricTable
from .pose_task import PosePair, PoseTask
from .ranking import RankedReader


@dataclass(frozen=True)
class SceneMeanTask:
    """Scenes of one protocol.  The mean's items are the scenes, its values their figures."""

    name: str
    scenes: tuple[PoseTask, ...]

    @property
    def pairs(self) -> list[PosePair]:
        """Those of all scenes."""
        return [pair for scene in self.scenes for pair in scene.pairs]

    @property
    def names(self) -> list[str]:
        """The images it needs."""
        return sorted({name for scene in self.scenes for name in scene.names})

    @property
    def settings(self) -> dict[str, Any]:
        """How it judges, for the result."""
        return self.scenes[0].settings

    def judge(
        self, features: RankedReader, link: Linker, budgets: Sequence[int], work: Path
    ) -> list[MetricTable]:
        """For every estimator the mean, then each scene's tables."""
        found = [scene.judge(features, link, budgets, work) for scene in self.scenes]
        estimators = self.scenes[0].protocol.estimators
        means = [
            self._mean(f"{self.name} {estimator}", [tables[i] for tables in found])
            for i, estimator in enumerate(estimators)
        ]
        return [*means, *(table for tables in found for table in tables)]

    def _mean(self, name: str, tables: Sequence[MetricTable]) -> MetricTable:
        measures = tables[0].measures
        return MetricTable(
            name,
            tuple(scene.name for scene in self.scenes),
            tuple(Measure(m.name, m.name, None, m.unit, m.lower_is_better) for m in measures),
            {
                budget: {
                    m.name: np.array([[_value(t, m, budget)] for t in tables]) for m in measures
                }
                for budget in tables[0].values
            },
        )


def _value(table: MetricTable, measure: Measure, budget: int) -> float:
    """A figure as a measure takes it: shares, where the figure is in percent."""
    figure = table.value(measure, budget)
    return figure / 100 if measure.unit == PERCENT else figure
