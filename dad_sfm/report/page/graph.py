"""The view graph as SVG text: images, and the verified pairs that join them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from ...colmap.view_graph import Pair
from ..document import Report

MOST_NODES = 300
_MOST_EDGES = 3000
_STEPS = 120
_WIDTH, _GAP = 1000.0, 30.0


def view_graph(report: Report) -> str:
    """Components beside each other, each in a colour; images outside the model are hollow.

    Empty text without images, or with more than can be told apart.
    """
    names = [image.name for image in report.images]
    if not 2 <= len(names) <= MOST_NODES:
        return ""
    inliers = {p.names: p.inliers for p in report.pairs if p.inliers}
    places, height = layout(report.components, inliers)
    strongest = sorted(inliers, key=lambda pair: -inliers[pair])[:_MOST_EDGES]
    top = np.log1p(max(inliers.values(), default=1))
    edges = "".join(
        _edge(places[a], places[b], np.log1p(inliers[a, b]) / top)
        for a, b in strongest
        if a in places and b in places
    )
    part = {name: k for k, names in enumerate(report.components) for name in names}
    radius = 9 if len(names) <= 60 else 5
    nodes = "".join(
        _node(number, image.name, places[image.name], part[image.name], radius, image.model == 0)
        for number, image in enumerate(report.images)
        if image.name in places
    )
    parts = sum(len(c) > 1 for c in report.components)
    alone = sum(len(c) == 1 for c in report.components)
    caption = f"{parts} connected {'part' if parts == 1 else 'parts'}"
    caption += f", {alone} images alone" if alone else ""
    return (
        f"<figure><figcaption>{caption}; filled: in the model</figcaption>"
        f'<svg class="graph" viewBox="0 0 {_WIDTH:.0f} {height:.0f}" role="img" '
        f'aria-label="view graph">{edges}{nodes}</svg></figure>'
    )


def layout(
    components: Sequence[Sequence[str]], weights: Mapping[Pair, int]
) -> tuple[dict[str, np.ndarray], float]:
    """Places of all images in a drawing `_WIDTH` wide, and its height: components on shelves."""
    total = sum(len(c) for c in components)
    places: dict[str, np.ndarray] = {}
    x, y, shelf = _GAP, _GAP, 0.0
    for names in components:
        share = np.sqrt(len(names) / total)
        size = np.array([0.0, 0.0] if len(names) == 1 else [share * 0.9 * _WIDTH, share * 520])
        if x + size[0] > _WIDTH - _GAP and x > _GAP:
            x, y, shelf = _GAP, y + shelf + _GAP, 0.0
        for name, place in zip(names, _springs(names, weights), strict=True):
            places[name] = np.array([x, y]) + place * size
        x, shelf = x + size[0] + _GAP, max(shelf, size[1])
    return places, y + shelf + _GAP


def _springs(names: Sequence[str], weights: Mapping[Pair, int]) -> np.ndarray:
    """N×2 in [0, 1]: a layout by forces (Fruchterman and Reingold 1991), from a circle."""
    n = len(names)
    angles = 2 * np.pi * np.arange(n) / n
    at = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    row = {name: k for k, name in enumerate(names)}
    pull = np.zeros((n, n))
    for (a, b), weight in weights.items():
        if a in row and b in row:
            pull[row[a], row[b]] = pull[row[b], row[a]] = np.log1p(weight)
    pull /= pull.max() or 1.0
    ideal = 2 / np.sqrt(n)
    for step in range(_STEPS):
        away = at[:, None] - at
        distance = np.maximum(np.linalg.norm(away, axis=2), 1e-3)
        force = ideal**2 / distance**2 - pull * distance / ideal
        move = (away * force[..., None]).sum(axis=1)
        length = np.maximum(np.linalg.norm(move, axis=1, keepdims=True), 1e-9)
        at = at + move / length * np.minimum(length, 0.15 * (1 - step / _STEPS))
    low, high = at.min(axis=0), at.max(axis=0)
    return (at - low) / np.where(high > low, high - low, 1.0)


def _edge(a: np.ndarray, b: np.ndarray, strength: float) -> str:
    return (
        f'<line class="edge" x1="{a[0]:.0f}" y1="{a[1]:.0f}" x2="{b[0]:.0f}" y2="{b[1]:.0f}" '
        f'stroke-width="{0.5 + 2.5 * strength:.1f}" stroke-opacity="{0.1 + 0.5 * strength:.2f}"/>'
    )


def _node(number: int, name: str, at: np.ndarray, part: int, radius: int, registered: bool) -> str:
    colour = f"hsl({(210 + 137.508 * part) % 360:.0f} 65% 55%)"
    fill = f'fill="{colour}"' if registered else 'class="out"'
    return (
        f'<circle cx="{at[0]:.0f}" cy="{at[1]:.0f}" r="{radius}" {fill} stroke="{colour}" '
        f'stroke-width="2" data-image="{number}"><title>{escape(name)}</title></circle>'
    )
