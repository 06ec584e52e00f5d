"""Cameras and images into a COLMAP database.

Images with EXIF go through COLMAP's own reader, which knows focal lengths of many sensors and
takes positions along as priors.  It decodes every photo, though, and cannot read every format, so
images without EXIF, and those that it refuses, are written from their size alone: as COLMAP would
have done.
"""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..io.image_header import Header
from .cameras import CameraError

if TYPE_CHECKING:
    import pycolmap

logger = logging.getLogger(__name__)

# Focal length of an unknown fisheye, in terms of the long side: 180 degrees across.  It counts as
# known, because pixels of a fisheye fulfil no fundamental matrix: without a focal length no pair
# would be verified.  A tenth off, it is near enough for the adjustment to find the true one.
FISHEYE_FOCAL_FACTOR = 1 / math.pi


@dataclass(frozen=True)
class Intrinsics:
    """COLMAP's name of the camera model, and its parameters (pixels, COLMAP frame) if known.

    Raises `CameraError` when there is no such model, or when it has other parameters.
    """

    model: str
    params: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        known = known_models()
        if self.model not in known:
            raise CameraError(f"unknown camera model {self.model!r}; one of {', '.join(known)}")
        if self.params is not None:
            camera = _camera(self.model, (1, 1), 1.0)
            if len(self.params) != len(camera.params):
                raise CameraError(
                    f"{self.model} has the parameters {camera.params_info}, but "
                    f"{len(self.params)} numbers were given"
                )

    def options(self) -> pycolmap.ImageReaderOptions:
        """``pycolmap.ImageReaderOptions``."""
        import pycolmap

        options = pycolmap.ImageReaderOptions()
        options.camera_model = self.model
        if self.is_fisheye:
            options.default_focal_length_factor = FISHEYE_FOCAL_FACTOR
        if self.params is not None:
            options.camera_params = ",".join(repr(float(v)) for v in self.params)
        return options

    def camera(self, size: tuple[int, int]) -> pycolmap.Camera:
        """``pycolmap.Camera`` of images of ``size`` (W, H) without EXIF."""
        camera = _camera(self.model, size, self.options().default_focal_length_factor * max(size))
        if self.params is not None:
            camera.params = self.params
        camera.has_prior_focal_length = self.params is not None or self.is_fisheye
        return camera

    @property
    def is_fisheye(self) -> bool:
        """Whether angles, and not their tangents, are in proportion to the distance in pixels."""
        return _is_fisheye(self.model)


def known_models() -> list[str]:
    """The camera models of the installed pycolmap, by COLMAP's names."""
    import pycolmap

    return sorted(set(pycolmap.CameraModelId.__members__) - {"INVALID"})


def _is_fisheye(model: str) -> bool:
    return "FISHEYE" in model


def _camera(model: str, size: tuple[int, int], focal_length: float) -> pycolmap.Camera:
    import pycolmap

    create = getattr(pycolmap.Camera, "create_from_model_id", None) or pycolmap.Camera.create
    return create(0, pycolmap.CameraModelId.__members__[model], focal_length, *size)


def open_database(path: Path) -> pycolmap.Database:
    """``pycolmap.Database``, to be used in a ``with`` statement."""
    import pycolmap

    return pycolmap.Database.open(str(path))


def import_images(
    path: Path,
    image_dir: Path,
    headers: Mapping[str, Header],
    groups: Sequence[tuple[list[str], Intrinsics]],
) -> None:
    """Write all images into the database at ``path``, with a camera for each group of them."""
    open_database(path).close()
    _read_by_colmap(path, image_dir, [g for g in groups if headers[g[0][0]].has_exif])
    with open_database(path) as db:
        _trust_fisheyes(db)
        known = {image.name: image for image in db.read_all_images()}
        for names, intrinsics in groups:
            camera_id = next((known[n].camera_id for n in names if n in known), None)
            rest = [n for n in names if n not in known]
            if rest:
                _write_group(db, rest, intrinsics.camera(headers[rest[0]].size), camera_id)


def _trust_fisheyes(db: pycolmap.Database) -> None:
    for camera in db.read_all_cameras():
        if _is_fisheye(camera.model.name):
            camera.has_prior_focal_length = True
            db.update_camera(camera)


def _read_by_colmap(
    path: Path, image_dir: Path, groups: list[tuple[list[str], Intrinsics]]
) -> None:
    import pycolmap

    mode = pycolmap.CameraMode
    calls = [(mode.SINGLE, *group) for group in groups if len(group[0]) > 1]
    alone: dict[Intrinsics, list[str]] = defaultdict(list)
    for names, intrinsics in groups:
        if len(names) == 1:
            alone[intrinsics] += names
    calls += [(mode.PER_IMAGE, names, intrinsics) for intrinsics, names in alone.items()]
    for camera_mode, names, intrinsics in calls:
        pycolmap.import_images(
            str(path),
            str(image_dir),
            camera_mode,
            image_names=names,
            options=intrinsics.options(),
        )


def _write_group(
    db: pycolmap.Database, names: list[str], camera: pycolmap.Camera, camera_id: int | None
) -> None:
    """Images of one camera, each a frame of its own in the camera's trivial rig."""
    import pycolmap

    with pycolmap.DatabaseTransaction(db):
        if camera_id is None:
            camera.camera_id = db.write_camera(camera)
            rig = pycolmap.Rig()
            rig.add_ref_sensor(camera.sensor_id)
            rig_id = db.write_rig(rig)
        else:
            camera = db.read_camera(camera_id)
            owner = db.read_rig_with_sensor(camera.sensor_id)
            assert owner is not None, "a camera that COLMAP imported has a rig"
            rig_id = owner.rig_id
        for name in names:
            image = pycolmap.Image(name=name, camera_id=camera.camera_id)
            image.image_id = db.write_image(image)
            frame = pycolmap.Frame()
            frame.rig_id = rig_id
            frame.add_data_id(image.data_id)
            db.write_frame(frame)
