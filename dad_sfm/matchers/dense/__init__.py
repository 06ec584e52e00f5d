"""Dense matchers by name.  A new one is one file here and one line below.

They link keypoints of any detector without descriptors; none comes with the package.
"""

from ...core.registry import Registry

DENSE_MATCHERS = Registry(
    "dense matcher",
    {
        "roma": "dad_sfm.matchers.dense.roma:RoMa",
        "roma-v2": "dad_sfm.matchers.dense.roma_v2:RoMaV2",
    },
)
