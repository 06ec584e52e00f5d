"""Detectors by name.  A new one is one file here and one line below."""

from ..registry import Registry

DETECTORS = Registry(
    "detector",
    {
        "dad": "dad_sfm.detectors.dad.plugin:DaDPlugin",
        "dad-nano": "dad_sfm.detectors.dad.plugin:NanoPlugin",
        "sift": "dad_sfm.detectors.sift:SIFT",
        "aliked-n16": "dad_sfm.detectors.aliked:ALIKED",
    },
)
