"""Matchers by name.  A new one is one file here and one line below."""

from ..core.registry import Registry

MATCHERS = Registry(
    "matcher",
    {
        "nearest_neighbor": "dad_sfm.matchers.nearest:NearestNeighbor",
    },
)
