"""Histograms as SVG text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

_WIDTH, _HEIGHT, _BINS = 320, 130, 32
_TAIL = 0.99  # what lies beyond this share is counted in the last bar


def histogram(values: Sequence[float] | np.ndarray, title: str, unit: str = "") -> str:
    """A figure, with the median and the ends; empty text for no values.

    Whole numbers of a small range have a bar each.
    """
    found = np.asarray(values, np.float64)
    if not found.size:
        return ""
    edges = bin_edges(found)
    counts, _ = np.histogram(found.clip(edges[0], edges[-1]), edges)
    width, tallest = _WIDTH / len(counts), counts.max()
    bars = "".join(
        f'<rect class="bar" x="{k * width:.2f}" y="{_HEIGHT * (1 - n / tallest):.1f}" '
        f'width="{max(0.5, width - 1):.2f}" height="{_HEIGHT * n / tallest:.1f}">'
        f"<title>{edges[k]:.3g} to {edges[k + 1]:.3g}{unit}: {n:,}</title></rect>"
        for k, n in enumerate(counts)
    )
    beyond = "+" if found.max() > edges[-1] else ""
    median, mean = (_number(float(v)) + unit for v in (np.median(found), found.mean()))
    caption = f"{title}: median {median}, mean {mean}"
    return (
        f"<figure><figcaption>{escape(caption)}</figcaption>"
        f'<svg viewBox="-4 -4 {_WIDTH + 8} {_HEIGHT + 24}" role="img" aria-label="{escape(title)}">'
        f'{bars}<line class="axis" x2="{_WIDTH}" y1="{_HEIGHT}" y2="{_HEIGHT}"/>'
        f'<text y="{_HEIGHT + 14}">{_number(edges[0])}</text>'
        f'<text x="{_WIDTH}" y="{_HEIGHT + 14}" text-anchor="end">'
        f"{_number(edges[-1])}{unit}{beyond}</text></svg></figure>"
    )


def bin_edges(values: np.ndarray) -> np.ndarray:
    """From the smallest to the value that all but a hundredth stay below."""
    low, high = float(values.min()), float(np.quantile(values, _TAIL))
    whole = bool((values == np.rint(values)).all())
    if whole and high - low < _BINS:
        return np.arange(np.floor(low) - 1, np.ceil(high) + 3)
    return np.linspace(low, high if high > low else low + 1, _BINS + 1)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2f}"
