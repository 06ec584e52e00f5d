"""Put our presets, and the models behind them, where hloc looks for its own."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from .presets import feature_confs, matcher_confs
from .two_view import complete_before_mapping

INSTALL = "pip install git+https://github.com/cvg/Hierarchical-Localization"


class HlocMissingError(ImportError):
    """hloc, or something that hloc needs, cannot be imported."""


def import_hloc(module: str) -> Any:
    """A module of hloc.  Raises `HlocMissingError`."""
    try:
        return import_module(f"hloc.{module}")
    except ImportError as error:
        raise HlocMissingError(
            f"hloc cannot be imported ({error}); install it with: {INSTALL}, or put a checkout "
            "of it on PYTHONPATH"
        ) from error


def register() -> None:
    """Add our presets to hloc's ``extract_features.confs`` and ``match_features.confs``.

    Presets have the names that they have here; where hloc has a preset of that name, hloc's stays
    and ours is called ``dad-sfm-<name>``.  hloc finds our models by their name, because a folder
    of ours joins the search paths of ``hloc.extractors`` and ``hloc.matchers``.  With a pycolmap
    that overlooks geometries of unknown kind, see `two_view`.  Idempotent.

    Raises `HlocMissingError`.
    """
    for step, models, confs in (
        ("extract_features", "extractors", feature_confs()),
        ("match_features", "matchers", matcher_confs()),
    ):
        known = import_hloc(step).confs
        for name, conf in confs.items():
            is_taken = name in known and known[name] != conf
            known[f"dad-sfm-{name}" if is_taken else name] = conf
        search_path = import_hloc(models).__path__
        folder = str(Path(__file__).parent / models)
        if folder not in search_path:
            search_path.append(folder)
    complete_before_mapping("triangulation", "run_triangulation")
    complete_before_mapping("reconstruction", "run_reconstruction")
