"""Our presets inside hloc, unmodified: the only code that imports hloc.

::

    from dad_sfm import hloc_bridge

    hloc_bridge.register()
    conf = hloc.extract_features.confs["dad-nano+rootsift"]

or, from a shell, ``python -m dad_sfm.hloc_bridge extract_features --conf dad-nano ...``.
See docs/hloc.md.
"""

from .registration import HlocMissingError, register

__all__ = ["HlocMissingError", "register"]
