"""Matchers by name.  A new one is one file here and one line below, or an entry point of
another package in the group ``dad_sfm.matchers``."""

from ..core.registry import Registry

MATCHERS = Registry(
    "matcher",
    {
        "nearest_neighbor": "dad_sfm.matchers.nearest:NearestNeighbor",
    },
    group="dad_sfm.matchers",
)
