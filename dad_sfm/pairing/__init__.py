"""Pairing strategies by name.  A new one is one file here and one line below, or an entry point of
another package in the group ``dad_sfm.pairing``."""

from ..core.registry import Registry

PAIRING = Registry(
    "pairing strategy",
    {
        "exhaustive": "dad_sfm.pairing.exhaustive:Exhaustive",
        "sequential": "dad_sfm.pairing.sequential:Sequential",
        "retrieval": "dad_sfm.pairing.retrieval:Retrieval",
        "spatial": "dad_sfm.pairing.spatial:Spatial",
        "poses": "dad_sfm.pairing.poses:Poses",
        "covisibility": "dad_sfm.pairing.covisibility:Covisibility",
        "file": "dad_sfm.pairing.file:File",
    },
    group="dad_sfm.pairing",
)
