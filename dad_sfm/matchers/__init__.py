"""Matchers by name.  A new one is one file here and one line below, or an entry point of
another package in the group ``dad_sfm.matchers``."""

from ..core.registry import Registry

MATCHERS = Registry(
    "matcher",
    {
        "nearest_neighbor": "dad_sfm.matchers.nearest:NearestNeighbor",
        "smnn": "dad_sfm.matchers.smnn:SMNN",
        "fginn": "dad_sfm.matchers.fginn:FGINN",
        "adalam": "dad_sfm.matchers.adalam:AdaLAM",
        "dual_softmax": "dad_sfm.matchers.dual_softmax:DualSoftmax",
        "lightglue": "dad_sfm.matchers.lightglue:LightGlue",
        "loma": "dad_sfm.matchers.loma:LoMa",
        "roma": "dad_sfm.matchers.dense.roma:RoMa",
        "roma-v2": "dad_sfm.matchers.dense.roma_v2:RoMaV2",
        "loftr": "dad_sfm.matchers.dense.loftr:LoFTR",
    },
    group="dad_sfm.matchers",
)
