"""Instead of step 5: known poses and a verified database -> a model with points.

For ground truth, poses of another tool, or a finer set of features in a model that stands.
"""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .colmap.inputs import InputError
from .colmap.known_poses import triangulate, with_known_poses
from .colmap.log import colmap_log
from .colmap.mapping import mapper_options
from .colmap.model import read_model
from .core.hloc_call import also_as_hloc
from .core.step_command import run_step
from .geometry.cameras import CameraModel

logger = logging.getLogger(__name__)


@also_as_hloc("dad_sfm.hloc_calls.mapping:triangulate")
def main(
    sfm_dir: Path | str,
    reference_model: Path | str | CameraModel,
    database: Path | str,
    image_dir: Path | str,
    *,
    options: Mapping[str, Any] | None = None,
    refine_intrinsics: bool = False,
    seed: int = 0,
    num_threads: int | None = None,
    overwrite: bool = False,
) -> Path:
    """Triangulate the verified matches of ``database``; returns the folder of the model.

    reference_model    folder of a COLMAP model with the cameras and poses, or these as they are;
                       poses are held, and so are cameras without ``refine_intrinsics``
    options            of ``pycolmap.IncrementalPipelineOptions``, see `reconstruction.main`

    Called as hloc's step, with pairs, features and matches, see `hloc_calls.mapping`.

    Raises `InputError` when the folder is not empty or when names do not fit, `ConfigError` on an
    unknown option, `FileNotFoundError`.
    """
    root = Path(sfm_dir)
    if root.exists() and any(root.iterdir()) and not overwrite:
        raise InputError(f"{root} is not empty; overwrite it or give another folder")
    known = reference_model
    poses = known if isinstance(known, CameraModel) else read_model(known)
    settings = mapper_options(
        {"random_seed": seed, "num_threads": num_threads or -1, **(options or {})}
    )
    model = with_known_poses(poses, database)
    root.mkdir(parents=True, exist_ok=True)
    copy = root / "database.partial"
    try:
        shutil.copy(database, copy)
        with colmap_log(root):
            found = triangulate(
                model, copy, image_dir, root, settings, refine_intrinsics=refine_intrinsics
            )
    finally:
        copy.unlink(missing_ok=True)
    logger.info("%s: %d points in %d images", root, found.num_points3D(), found.num_reg_images())
    return root


if __name__ == "__main__":
    sys.exit(run_step(main))
