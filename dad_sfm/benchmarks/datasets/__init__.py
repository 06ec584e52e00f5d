"""Benchmarks by name.  A new one is one file here and one line below: see docs/evaluation.md."""

from importlib import import_module

from ...core.registry import Registry

BENCHMARKS = Registry(
    "benchmark",
    {
        "courtyard": "dad_sfm.benchmarks.datasets.courtyard:load",
        "homographies": "dad_sfm.benchmarks.datasets.homographies:load",
        "hpatches": "dad_sfm.benchmarks.datasets.hpatches:load",
        "hpatches-108": "dad_sfm.benchmarks.datasets.hpatches:load_108",
        "imc-pt": "dad_sfm.benchmarks.datasets.imc_pt:load",
        "imw2020": "dad_sfm.benchmarks.datasets.imw2020:load",
        "megadepth1500": "dad_sfm.benchmarks.datasets.megadepth1500:load",
        "scannet1500": "dad_sfm.benchmarks.datasets.scannet1500:load",
        "strecha": "dad_sfm.benchmarks.datasets.strecha:load",
        "tracks": "dad_sfm.benchmarks.datasets.tracks:load",
    },
)


def data_set(name: str) -> str:
    """The folder under ``datasets/`` that a benchmark reads; variants of one share it."""
    return import_module(BENCHMARKS.plugin(name).__module__).NAME


def takes_many_folders(name: str) -> bool:
    """Whether a benchmark's data may be several folders."""
    return getattr(import_module(BENCHMARKS.plugin(name).__module__), "MANY_FOLDERS", False)
