"""hloc's ``localize_sfm``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import localization
from .options import refuse

if TYPE_CHECKING:
    import pycolmap


def main(
    reference_sfm: Path | str | pycolmap.Reconstruction,
    queries: Path | str,
    retrieval: Path | str,
    features: Path | str,
    matches: Path | str,
    results: Path | str,
    ransac_thresh: float = 12,
    covisibility_clustering: bool = False,
    prepend_camera_name: bool = False,
    config: Any = None,
) -> None:
    """Localise queries in a model; the parameters are hloc's."""
    refuse(
        covisibility_clustering=(
            covisibility_clustering,
            "all retrieved images vote together",
        ),
        config=(config, "give localization.main a conf"),
    )
    localization.main(
        reference_sfm,
        queries,
        retrieval,
        features,
        matches,
        results,
        ransac_thresh,
        prepend_camera_name,
    )
