"""Pairing strategies by name.  A new one is one file here and one line below, or an entry point of
another package in the group ``dad_sfm.pairing``."""

from ..core.registry import Registry

PAIRING = Registry(
    "pairing strategy",
    {
        "exhaustive": "dad_sfm.pairing.exhaustive:Exhaustive",
        "sequential": "dad_sfm.pairing.sequential:Sequential",
    },
    group="dad_sfm.pairing",
)
