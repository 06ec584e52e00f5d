"""What a benchmark measures: values of items (pairs of images, images), and figures made of them.

Values are kept item by item, so that two results can be compared on the same items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .poses import auc

PERCENT = "%"


@dataclass(frozen=True)
class Measure:
    """A figure of a table, from one column of values.

    threshold  the figure is the area under the recall curve of the column, which holds errors
               (infinite: failed), up to this; None: it is the mean of what could be measured
    unit       ``%`` (values are shares, the figure is in percent), or that of the values
    """

    name: str
    column: str
    threshold: float | None = None
    unit: str = PERCENT
    lower_is_better: bool = False

    def of(self, values: np.ndarray) -> float:
        """The figure of items × runs values; NaN where there is nothing to measure."""
        factor = 100 if self.unit == PERCENT else 1
        if self.threshold is not None:
            return factor * auc(values.ravel(), [self.threshold])[0]
        known = values[np.isfinite(values)]
        return factor * float(known.mean()) if len(known) else float("nan")


def auc_measures(column: str, thresholds: Sequence[float], unit: str) -> tuple[Measure, ...]:
    """AUC at each threshold; ``unit`` is that of the errors: ``°``, ``px``."""
    return tuple(Measure(f"AUC@{t:g}{unit}", column, t) for t in thresholds)


def mean_accuracy(errors: np.ndarray, most: int) -> np.ndarray:
    """For each error the share of the thresholds 1, 2, ... ``most`` that it stays below.  The mean
    over pairs is the mean average accuracy (mAA) of the Image Matching Challenge.

    Jin et al., "Image Matching across Wide Baselines: From Paper to Practice", IJCV 2020.
    """
    return (errors[..., None] < np.arange(1, most + 1)).mean(axis=-1)


@dataclass(frozen=True)
class MetricTable:
    """One discipline of a benchmark.

    items    names of the pairs or images, the same for every budget
    values   budget -> column -> items × runs float64
    """

    name: str
    items: tuple[str, ...]
    measures: tuple[Measure, ...]
    values: dict[int, dict[str, np.ndarray]]

    def value(self, measure: Measure, budget: int, items: np.ndarray | None = None) -> float:
        """A measure at a budget, over all items or those of the given indices."""
        values = self.values[budget][measure.column]
        return measure.of(values if items is None else values[items])


def pair_name(name_a: str, name_b: str) -> str:
    """How an item that is per pair is called."""
    return f"{name_a} {name_b}"
