"""Descriptors by name.  A new one is one file here and one line below, or an entry point of
another package in the group ``dad_sfm.descriptors``."""

from ..core.registry import Registry

DESCRIPTORS = Registry(
    "descriptor",
    {
        "hypercolumn": "dad_sfm.descriptors.hypercolumn:HypercolumnPlugin",
        "rootsift": "dad_sfm.descriptors.rootsift:RootSIFT",
        "aliked-n16": "dad_sfm.descriptors.aliked:ALIKEDHead",
        "aliked-n16rot": "dad_sfm.descriptors.aliked:ALIKEDn16rotHead",
        "aliked-n32": "dad_sfm.descriptors.aliked:ALIKEDn32Head",
        "dedode-b": "dad_sfm.descriptors.dedode:DeDoDeB",
    },
    group="dad_sfm.descriptors",
)
