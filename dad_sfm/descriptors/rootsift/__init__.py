"""RootSIFT at given keypoints: needs no weights and no download."""

from .plugin import RootSIFT, RootSIFTConf

__all__ = ["RootSIFT", "RootSIFTConf"]
