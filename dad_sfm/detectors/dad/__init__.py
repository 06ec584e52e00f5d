"""The DaD detector: network, sampling, weights, and the interface of the original package."""

from .detector import DaDDetector
from .loaders import (
    load_DaD,
    load_DaDDark,
    load_DaDLight,
    load_DaDNano,
    load_DaDNanoDark,
    load_DaDNanoLight,
)

__all__ = [
    "DaDDetector",
    "load_DaD",
    "load_DaDDark",
    "load_DaDLight",
    "load_DaDNano",
    "load_DaDNanoDark",
    "load_DaDNanoLight",
]
