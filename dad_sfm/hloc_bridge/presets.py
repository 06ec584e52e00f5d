"""Our presets in hloc's shape.

hloc resizes an image before a model sees it, by rules of its own.  These presets ask for the image
as it is, and resize it as our extraction does, so that the same points come out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import extract_features, match_features
from ..matchers import MATCHERS

MODEL = "dad_sfm"  # name of the modules in ``extractors/`` and ``matchers/`` beside this file


def feature_confs() -> dict[str, dict[str, Any]]:
    """Every feature preset, for ``hloc.extract_features.main``."""
    return {name: _feature_conf(conf) for name, conf in extract_features.confs.items()}


def matcher_confs() -> dict[str, dict[str, Any]]:
    """Every matcher preset, for ``hloc.match_features.main``, which shows no photos to a matcher:
    those that look at them are left out."""
    return {
        name: {**conf, "model": _renamed(conf["model"], "matcher")}
        for name, conf in match_features.confs.items()
        if not MATCHERS.plugin(conf["model"]["name"]).needs_images
    }


def _feature_conf(conf: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "output": conf["output"],
        "model": {
            **_renamed(conf["model"], "detector"),
            "preprocessing": dict(conf["preprocessing"]),
        },
        "preprocessing": {"grayscale": False, "resize_max": None},
    }


def _renamed(model: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """``{"name": x, ...}`` as hloc needs it, for which the name is that of a module."""
    options = dict(model)
    return {"name": MODEL, kind: options.pop("name"), **options}


def own_model(model: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The inverse of `_renamed`: a ``model`` of our presets."""
    options = {key: value for key, value in model.items() if key != "name"}
    return {"name": options.pop(kind, None), **options}
