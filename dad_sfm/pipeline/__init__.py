"""All steps in order: `reconstruct`, and the one object that configures it."""

from .conf import ReconstructionConf
from .run import reconstruct
from .survey import GivenFiles

__all__ = ["GivenFiles", "ReconstructionConf", "reconstruct"]
