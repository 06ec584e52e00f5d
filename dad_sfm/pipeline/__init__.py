"""All steps in order: `reconstruct`, and the one object that configures it; and two photos matched
in memory."""

from .conf import ReconstructionConf
from .run import reconstruct
from .survey import GivenFiles
from .two_photos import PairMatcher, PairMatches, match_pair

__all__ = [
    "GivenFiles",
    "PairMatcher",
    "PairMatches",
    "ReconstructionConf",
    "match_pair",
    "reconstruct",
]
