"""Published figures, to stand beside ours where the data is the same.

DaD: Edstedt et al., "DaD: Distilled Reinforcement Learning for Diverse Keypoint Detection",
arXiv 2503.07347.  Keypoints linked by RoMa; figures of the paper, then of its public code.  The
tables do not name the threshold: that it is the first of the protocol's is our reading.
"""

from __future__ import annotations

BUDGETS = (512, 1024, 2048, 4096, 8192)
PAPER, CODE = "DaD, paper (RoMa)", "DaD, public code (RoMa)"

# (benchmark, table, measure) -> label -> a figure per budget
PUBLISHED: dict[tuple[str, str, str], dict[str, tuple[float, ...]]] = {
    ("megadepth1500", "megadepth1500 essential", "AUC@5°"): {
        PAPER: (64.9, 67.9, 69.4, 69.3, 68.8),
        CODE: (64.8, 68.0, 69.4, 69.6, 68.8),
    },
    ("megadepth1500", "megadepth1500 fundamental", "AUC@5°"): {
        PAPER: (50.6, 55.5, 57.4, 57.8, 56.4),
        CODE: (50.6, 55.5, 57.7, 58.2, 56.4),
    },
    ("scannet1500", "scannet1500 essential", "AUC@5°"): {
        PAPER: (25.7, 27.9, 28.3, 28.9, 29.3),
        CODE: (26.3, 28.0, 28.6, 29.0, 29.2),
    },
    ("scannet1500", "scannet1500 fundamental", "AUC@5°"): {
        PAPER: (18.3, 20.6, 21.7, 22.2, 23.0),
        CODE: (18.6, 21.4, 21.9, 22.5, 23.3),
    },
    ("hpatches", "viewpoint", "AUC@3px"): {
        PAPER: (58.2, 60.5, 61.0, 61.5, 61.4),
        CODE: (58.3, 60.4, 61.0, 61.2, 61.5),
    },
}


def published(benchmark: str, table: str, measure: str) -> dict[str, dict[int, float]]:
    """Label -> budget -> figure; empty where nothing was published."""
    found = PUBLISHED.get((benchmark, table, measure), {})
    return {label: dict(zip(BUDGETS, figures, strict=True)) for label, figures in found.items()}
