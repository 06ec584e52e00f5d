"""hloc's ``reconstruction.main`` and ``triangulation.main``: from features and matches to a model.

As hloc does, the database goes into ``sfm_dir/database.db`` and the model into ``sfm_dir`` itself.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import database, reconstruction, triangulation
from ..colmap.model import read_model
from .options import camera_mode as our_camera_mode
from .options import camera_options, refuse

if TYPE_CHECKING:
    import pycolmap

_SCORE = "choose a matcher with a threshold"
_VERIFY = "matches are always verified; set thresholds with database.main(verification=...)"


def reconstruct(
    sfm_dir: Path | str,
    image_dir: Path | str,
    pairs: Path | str,
    features: Path | str,
    matches: Path | str,
    camera_mode: Any = "AUTO",
    verbose: bool = False,
    skip_geometric_verification: bool = False,
    min_match_score: float | None = None,
    image_list: Iterable[str] | None = None,
    image_options: Mapping[str, Any] | None = None,
    mapper_options: Mapping[str, Any] | None = None,
) -> pycolmap.Reconstruction:
    """Build a database and map; returns the largest model.

    The parameters are hloc's; ``verbose`` changes nothing, COLMAP's messages go into log files.
    Raises `ReconstructionError` where hloc returns None, and `ConfigError` for an option that is
    not offered.
    """
    refuse(
        skip_geometric_verification=(skip_geometric_verification, _VERIFY),
        min_match_score=(min_match_score, _SCORE),
    )
    root = Path(sfm_dir)
    path = database.main(
        root / "database.db",
        image_dir,
        features,
        pairs,
        matches,
        camera_mode=our_camera_mode(camera_mode),  # type: ignore[arg-type]
        image_list=image_list,
        overwrite=True,
        **camera_options(image_options),
    )
    models = reconstruction.main(
        root / "models", path, image_dir, options=mapper_options, overwrite=True
    )
    return _returned(models[0], root)


def triangulate(
    sfm_dir: Path | str,
    reference_model: Path | str,
    image_dir: Path | str,
    pairs: Path | str,
    features: Path | str,
    matches: Path | str,
    skip_geometric_verification: bool = False,
    estimate_two_view_geometries: bool = False,
    min_match_score: float | None = None,
    verbose: bool = False,
    mapper_options: Mapping[str, Any] | None = None,
) -> pycolmap.Reconstruction:
    """Triangulate the images of a model with known cameras; returns the model.

    The parameters are hloc's.  Matches are verified by estimation whatever
    ``estimate_two_view_geometries`` says; ``verbose`` changes nothing.
    """
    refuse(
        skip_geometric_verification=(skip_geometric_verification, _VERIFY),
        min_match_score=(min_match_score, _SCORE),
    )
    root = Path(sfm_dir)
    names = sorted(read_model(reference_model).images)
    path = database.main(
        root / "database.db", image_dir, features, pairs, matches, image_list=names, overwrite=True
    )
    model = triangulation.main(
        root / "models", reference_model, path, image_dir, options=mapper_options, overwrite=True
    )
    return _returned(model, root)


def _returned(model: Path, root: Path) -> pycolmap.Reconstruction:
    import pycolmap

    for file in model.iterdir():
        shutil.copy2(file, root / file.name)
    return pycolmap.Reconstruction(str(root))
