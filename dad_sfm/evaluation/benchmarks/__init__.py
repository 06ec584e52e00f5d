"""Benchmarks by name.  A new one is one file here and one line below: see docs/evaluation.md."""

from ...registry import Registry

BENCHMARKS = Registry(
    "benchmark",
    {
        "courtyard": "dad_sfm.evaluation.benchmarks.courtyard:load",
        "homographies": "dad_sfm.evaluation.benchmarks.homographies:load",
        "megadepth1500": "dad_sfm.evaluation.benchmarks.megadepth1500:load",
        "strecha": "dad_sfm.evaluation.benchmarks.strecha:load",
    },
)
