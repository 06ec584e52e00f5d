"""Why an image is not in the largest model."""

from __future__ import annotations

from collections import Counter

from ..colmap.view_graph import ViewGraph
from ..geometry.cameras import CameraModel

# What helps against each code, as in docs/report.md; where no model was built, the failure says.
REMEDIES = {
    "other_model": "more pairs between the two models",
    "no_keypoints": "is it blank, or masked? a larger size (--resize)",
    "no_pairs": "other pairs",
    "no_verified_pair": "other pairs, features (as dad-nano+aliked-n16) or matcher",
    "other_component": "more pairs between the two sets",
    "too_few_points": "more keypoints; other features (as dad-nano+aliked-n16); images in between",
}


class Explainer:
    """Finds the first thing that went wrong, in the order in which things can."""

    def __init__(
        self, graph: ViewGraph, components: list[list[str]], models: list[CameraModel]
    ) -> None:
        self._graph, self._models = graph, models
        self._home = {name: component for component in components for name in component}
        self._pairs = Counter(name for pair in graph.matches for name in pair)
        self._matches, self._inliers = graph.best_matches(), graph.best_inliers()

    def explain(self, name: str) -> tuple[str, str]:
        """A code (see docs/report.md) and a sentence."""
        number = next((k for k, m in enumerate(self._models) if name in m.images), None)
        inliers, home = self._inliers[name], self._home[name]
        if number is not None:
            return "other_model", f"in sparse/{number}, which shares too little with sparse/0"
        if not self._graph.keypoints[name]:
            return "no_keypoints", "no keypoint was found in it"
        if not self._pairs[name]:
            return "no_pairs", "it was matched with no other image"
        if not inliers:
            return (
                "no_verified_pair",
                f"none of its {self._pairs[name]} pairs passed geometric verification (the best "
                f"has {self._matches[name]} matches)",
            )
        if not self._models:
            return "no_model", f"no model was built (its best pair has {inliers} inliers)"
        if self._models[0].images.keys().isdisjoint(home):
            return (
                "other_component",
                f"its verified pairs lead to {len(home) - 1} other images, none in sparse/0",
            )
        return (
            "too_few_points",
            f"too few of its keypoints match points of sparse/0 (its best pair has {inliers} "
            "inliers)",
        )
