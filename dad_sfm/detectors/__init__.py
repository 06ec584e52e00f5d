"""Detectors by name.  A new one is one file here and one line below, or an entry point of
another package in the group ``dad_sfm.detectors``."""

from ..core.registry import Registry

DETECTORS = Registry(
    "detector",
    {
        "dad": "dad_sfm.detectors.dad.plugin:DaDPlugin",
        "dad-nano": "dad_sfm.detectors.dad.plugin:NanoPlugin",
        "sift": "dad_sfm.detectors.sift:SIFT",
        "aliked-n16": "dad_sfm.detectors.aliked:ALIKED",
        "aliked-n16rot": "dad_sfm.detectors.aliked:ALIKEDn16rot",
        "aliked-n32": "dad_sfm.detectors.aliked:ALIKEDn32",
        "dedode-v2": "dad_sfm.detectors.dedode:DeDoDe",
        "disk": "dad_sfm.detectors.disk:DISK",
        "edgepoint2": "dad_sfm.detectors.edgepoint2:EdgePoint2Plugin",
        "xfeat": "dad_sfm.detectors.xfeat:XFeat",
        "gftt": "dad_sfm.detectors.gftt:GFTT",
        "hessian-affine": "dad_sfm.detectors.frames:HessianAffine",
        "harris-affine": "dad_sfm.detectors.frames:HarrisAffine",
        "keynet": "dad_sfm.detectors.frames:KeyNet",
        "ripe": "dad_sfm.detectors.ripe:RIPEPlugin",
        "ripe-dad": "dad_sfm.detectors.ripe:RIPEDaDPlugin",
        "ripe-nano": "dad_sfm.detectors.ripe:RIPENanoPlugin",
        "traqpoint": "dad_sfm.detectors.traqpoint:TraqPointPlugin",
        "superpoint": "dad_sfm.detectors.superpoint:SuperPointPlugin",
        "reinforced-feature-points": "dad_sfm.detectors.superpoint:ReinforcedPlugin",
    },
    group="dad_sfm.detectors",
)
