"""Descriptors by name.  A new one is one file here and one line below."""

from ..registry import Registry

DESCRIPTORS = Registry(
    "descriptor",
    {
        "rootsift": "dad_sfm.descriptors.rootsift:RootSIFT",
        "aliked-n16": "dad_sfm.descriptors.aliked:ALIKEDHead",
    },
)
