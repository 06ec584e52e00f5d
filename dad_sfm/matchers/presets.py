"""Presets of matchers, of hloc's names and shape, to be copied and changed.

output  goes into the name of the match file
model   the matcher's name and options
"""

from __future__ import annotations

from typing import Any

PRESETS: dict[str, dict[str, Any]] = {
    "NN-mutual": {
        "output": "matches-NN-mutual",
        "model": {"name": "nearest_neighbor", "do_mutual_check": True},
    },
    "NN-ratio": {
        "output": "matches-NN-mutual-ratio.8",
        "model": {"name": "nearest_neighbor", "do_mutual_check": True, "ratio_threshold": 0.8},
    },
    "NN-superpoint": {
        "output": "matches-NN-mutual-dist.7",
        "model": {"name": "nearest_neighbor", "do_mutual_check": True, "distance_threshold": 0.7},
    },
    "SMNN": {"output": "matches-SMNN", "model": {"name": "smnn"}},
    "FGINN": {"output": "matches-FGINN", "model": {"name": "fginn"}},
    "adalam": {"output": "matches-adalam", "model": {"name": "adalam"}},
    # Sharper than DeDoDe's 20, which no match of RootSIFT passes: its cosines are all above 0.5.
    "dual-softmax": {
        "output": "matches-dual-softmax",
        "model": {"name": "dual_softmax", "inverse_temperature": 80.0},
    },
    # LightGlue, for the features that it has weights for.
    **{
        f"{kind}+lightglue": {
            "output": f"matches-{kind}-lightglue",
            "model": {"name": "lightglue", "features": kind},
        }
        for kind in ("aliked", "disk", "superpoint", "sift", "xfeat", "dedodeb")
    },
    # Describes the keypoints of any detector itself.
    **{
        f"loma-{size.lower()}": {
            "output": f"matches-loma-{size.lower()}",
            "model": {"name": "loma", "variant": size},
        }
        for size in ("B128", "B", "L", "G")
    },
    # Dense matchers link the keypoints of any detector, without descriptors.
    "roma": {"output": "matches-roma", "model": {"name": "roma"}},
    # The rule of the DaD paper's evaluation.
    "roma-one-way": {
        "output": "matches-roma-one-way",
        "model": {
            "name": "roma",
            "both_ways": False,
            "max_distance": 0.005,
            "unit": "normalised",
            "min_certainty": 0.0,
        },
    },
    "roma-v2": {"output": "matches-roma-v2", "model": {"name": "roma-v2"}},
    "loftr": {"output": "matches-loftr", "model": {"name": "loftr"}},
}
