"""Benchmarks by name.  A new one is one file here and one line below: see docs/evaluation.md."""

from importlib import import_module

from ...registry import Registry

BENCHMARKS = Registry(
    "benchmark",
    {
        "courtyard": "dad_sfm.evaluation.benchmarks.courtyard:load",
        "homographies": "dad_sfm.evaluation.benchmarks.homographies:load",
        "hpatches": "dad_sfm.evaluation.benchmarks.hpatches:load",
        "hpatches-108": "dad_sfm.evaluation.benchmarks.hpatches:load_108",
        "imc-pt": "dad_sfm.evaluation.benchmarks.imc_pt:load",
        "imw2020": "dad_sfm.evaluation.benchmarks.imw2020:load",
        "megadepth1500": "dad_sfm.evaluation.benchmarks.megadepth1500:load",
        "scannet1500": "dad_sfm.evaluation.benchmarks.scannet1500:load",
        "strecha": "dad_sfm.evaluation.benchmarks.strecha:load",
    },
)


def data_set(name: str) -> str:
    """The folder under ``datasets/`` that a benchmark reads; variants of one share it."""
    return import_module(BENCHMARKS.plugin(name).__module__).NAME
