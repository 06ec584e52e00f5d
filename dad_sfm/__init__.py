"""dad_sfm: the feature front end of structure from motion.

Photos in; hloc-format features, matches, a COLMAP reconstruction and a report out.
Importing this package loads neither torch nor hloc nor matplotlib: names are resolved on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from . import hloc_calls
from ._version import __version__

# The steps, modules with a `main` as hloc's.
_STEPS = (
    "extract_features",
    "pairs",
    "match_features",
    "database",
    "reconstruction",
    "triangulation",
    "localization",
)

# `dad.utils` of the original package, for scripts that were written for it.
_MODULES = (*_STEPS, "utils")

# Public name -> module that defines it.
_EXPORTS = {
    "reconstruct": "dad_sfm.pipeline",
    "ReconstructionConf": "dad_sfm.pipeline",
    "match_pair": "dad_sfm.pipeline",
    "PairMatcher": "dad_sfm.pipeline",
    "PairMatches": "dad_sfm.pipeline",
    "KorniaFeature": "dad_sfm.execution.kornia_features",
    "Extractor": "dad_sfm.execution.extractor",
    "Features": "dad_sfm.core.types",
    "Matches": "dad_sfm.core.types",
    "load_DaD": "dad_sfm.detectors.dad",
    "load_DaDLight": "dad_sfm.detectors.dad",
    "load_DaDDark": "dad_sfm.detectors.dad",
    "load_DaDNano": "dad_sfm.detectors.dad",
    "load_DaDNanoLight": "dad_sfm.detectors.dad",
    "load_DaDNanoDark": "dad_sfm.detectors.dad",
    "vgg_hyper": "dad_sfm.detectors.ripe",
    "visualize_keypoints": "dad_sfm.report.drawing",
}

__all__ = ["__version__", *_MODULES, *hloc_calls.MODULES, *_EXPORTS]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name in hloc_calls.MODULES:
        return import_module(f"{hloc_calls.__name__}.{name}")
    if name in hloc_calls.MISSING:
        raise ImportError(f"dad_sfm has no {name}: {hloc_calls.MISSING[name]}")
    if name not in _EXPORTS:
        raise AttributeError(f"module 'dad_sfm' has no attribute {name!r}")
    return getattr(import_module(_EXPORTS[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
