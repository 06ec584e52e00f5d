"""Two-view geometries that hloc writes without saying what kind they are.

hloc's verification by known poses, and its ``skip_geometric_verification``, write inlier matches
alone.  Their ``config`` is then UNDEFINED, which COLMAP up to 4.1 did not mind; 4.2 leaves such
pairs out of the correspondence graph, and triangulation ends with no point and no message.
"""

from __future__ import annotations

import functools
import logging
from importlib import import_module
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)


def complete_geometries(database: Path | str) -> int:
    """Call geometries of undefined kind UNCALIBRATED where they have inliers; returns how many.

    UNCALIBRATED promises least: matches that agree with some epipolar geometry.
    """
    import pycolmap

    if not hasattr(pycolmap.Database, "update_two_view_geometry"):
        return 0  # an old one, which does not mind
    kinds = pycolmap.TwoViewGeometryConfiguration
    count = 0
    with pycolmap.Database.open(str(database)) as db, pycolmap.DatabaseTransaction(db):
        for pair_id, geometry in zip(*db.read_two_view_geometries(), strict=True):
            if geometry.config == int(kinds.UNDEFINED) and len(geometry.inlier_matches):
                geometry.config = kinds.UNCALIBRATED
                db.update_two_view_geometry(*pycolmap.pair_id_to_image_pair(pair_id), geometry)
                count += 1
    return count


def complete_before_mapping(step: str, name: str) -> None:
    """Let the function ``name(model_path, database_path, ...)`` of a step of hloc complete the
    geometries of the database first.

    A step that cannot be imported here (hloc 1.5's need numpy 1) is left as it is: extraction and
    matching do without.
    """
    try:
        module = import_module(f"hloc.{step}")
    except (ImportError, AttributeError) as error:
        logger.info("hloc.%s is left as it is, for it cannot be imported: %s", step, error)
        return
    mapping = getattr(module, name)
    if hasattr(mapping, "__wrapped__"):
        return

    @functools.wraps(mapping)
    def completed(model_path: Path, database_path: Path, *args: Any, **options: Any) -> Any:
        complete_geometries(database_path)
        return mapping(model_path, database_path, *args, **options)

    setattr(module, name, completed)
