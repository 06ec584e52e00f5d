"""MegaDepth IMC-PT: 1600 pairs of eight scenes of MegaDepth whose places the test set of the Image
Matching Challenge's phototourism shows too.

Edstedt et al., "DKM: Dense Kernelized Feature Matching for Geometry Estimation", CVPR 2023, which
calls them the 8 scenes; the DaD paper's code calls them MegaIMCPT.
"""

from __future__ import annotations

from .base import Dataset, Source
from .megadepth1500 import LICENCE, load_indices

NAME = "imc-pt"
SCENES = ("0008", "0019", "0021", "0024", "0025", "0032", "0063", "1589")
OVERLAPS = ("0.1_0.3", "0.3_0.5")
INDICES = tuple(f"mega_8_scenes_{s}_{overlap}.npz" for s in SCENES for overlap in OVERLAPS)


def load(source: Source) -> Dataset:
    """The pairs of the sixteen indices.  Raises `DataError`."""
    return load_indices(source, NAME, INDICES, LICENCE)
