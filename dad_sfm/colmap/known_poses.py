"""A reconstruction of known cameras and poses, to triangulate the matches of a database in it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..geometry.cameras import CameraModel
from .inputs import InputError

if TYPE_CHECKING:
    import pycolmap

logger = logging.getLogger(__name__)


def with_known_poses(
    poses: CameraModel, database: Path | str, *, first_camera: bool = False
) -> pycolmap.Reconstruction:
    """A reconstruction without points: images, keypoints and ids of a database, cameras and poses
    of the images of the same names.

    first_camera  where images that share a camera in the database do not in the model, that of
                  the first counts, in the order of the poses

    Images without a known pose are left out.  Raises `InputError` when none has one, when the
    database holds rigs of several cameras, and without ``first_camera`` when images that share a
    camera in the database do not in the model.
    """
    import pycolmap

    model = pycolmap.Reconstruction()
    with pycolmap.Database.open(str(database)) as db:
        images = {image.name: image for image in db.read_all_images()}
        if any(rig.num_sensors() > 1 for rig in db.read_all_rigs()):
            raise InputError(f"{database}: known poses of rigs of several cameras cannot be used")
        names = [name for name in poses.images if name in images]
        names = names if first_camera else sorted(names)
        if not names:
            raise InputError(f"{database}: none of its {len(images)} images has a known pose")
        if len(names) < len(images):
            logger.info("%d of %d images have known poses", len(names), len(images))
        first: dict[int, str] = {}  # image by which each camera is known
        for name in names:
            camera_id, known = images[name].camera_id, poses.camera_of(name)
            other = first.setdefault(camera_id, name)
            if other == name:
                model.add_camera_with_trivial_rig(
                    pycolmap.Camera(
                        camera_id=camera_id,
                        model=known.model,
                        width=known.width,
                        height=known.height,
                        params=known.params,
                    )
                )
            elif not first_camera and poses.camera_of(other) != known:
                raise InputError(
                    f"{database}: {other} and {name} share a camera, but their known cameras "
                    "differ; make the database with camera_mode 'per_image'"
                )
            keypoints = db.read_keypoints(images[name].image_id)[:, :2].astype(float)
            image_id = images[name].image_id
            image = pycolmap.Image(
                name=name, keypoints=keypoints, camera_id=camera_id, image_id=image_id
            )
            model.add_image_with_trivial_frame(
                image, pycolmap.Rigid3d(poses.images[name].cam_from_world)
            )
    return model


def triangulate(
    model: pycolmap.Reconstruction,
    database: Path,
    image_dir: Path | str,
    folder: Path,
    settings: Any,
    *,
    refine_intrinsics: bool = False,
) -> pycolmap.Reconstruction:
    """Triangulate the matches of a database in a model of `with_known_poses`, into ``folder``.

    The cameras of the database, a copy therefore, become those of the model: COLMAP refuses others.
    """
    import pycolmap

    set_cameras(database, model)
    found = pycolmap.triangulate_points(
        model,
        str(database),
        str(image_dir),
        str(folder),
        options=settings,
        refine_intrinsics=refine_intrinsics,
    )
    found.write(str(folder))
    return found


def set_cameras(database: Path, model: pycolmap.Reconstruction) -> None:
    """Give the cameras of a database the intrinsics that they have in a model."""
    import pycolmap

    with pycolmap.Database.open(str(database)) as db:
        for camera in model.cameras.values():
            db.update_camera(camera)
