"""A model on viser's stage: its points, its cameras, and the photo of the one that was clicked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..colmap.model import read_model
from ..colmap.points import SparsePoints, read_points
from ..geometry.cameras import CameraModel, quaternion
from ..io.images import ImageError
from ..io.output import Output
from ..report.page.view import first_view, pose
from .colours import Colouring, point_colours
from .photo import photo_with_keypoints

MOST_POINTS = 500_000
_SMALLER = 0.6  # than in the report, whose cameras are lines of a pixel
_NEARER = 0.65  # viser's lens is wider than the report's
_UNCHOSEN, _CHOSEN = (110, 150, 230), (240, 130, 30)


class Stage:
    """Shows models of one reconstruction, one after the other.

    server     a ``viser.ViserServer``
    files      where the photos and keypoints are
    """

    def __init__(self, server: Any, files: Output) -> None:
        self._server, self._files = server, files
        server.gui.configure_theme(dark_mode=True)
        self._cameras: dict[str, Any] = {}
        self._numbers: dict[str, int] = {}  # not every file name can be the name of a node
        self._chosen: str | None = None
        self._points: SparsePoints | None = None
        self._cloud: Any = None
        self._size = 1.0  # radius of the first view, in units of the scene
        self._photo: Any = None
        self._colouring = server.gui.add_dropdown("points by", ("photo", "error", "track length"))
        self._scale = server.gui.add_slider("point size", 0.1, 5.0, 0.1, 1.0)
        self._shown = server.gui.add_checkbox("cameras", True)
        self._name = server.gui.add_markdown("Click a camera.")
        self._colouring.on_update(lambda _: self._recolour())
        self._scale.on_update(lambda _: self._resize())
        self._shown.on_update(lambda _: self._show_cameras())

    def show(self, folder: Path) -> None:
        """Show the model in a folder, in place of the one before.

        Raises `FileNotFoundError`, `ModelError`.
        """
        model, points = read_model(folder), read_points(folder, names=())
        if not model.images:
            return
        view = first_view(model, points.xyz)
        # A model that is begun again has other axes.
        anew = len(model.images) < len(self._cameras) or not self._cameras
        self._points, self._size = _some(points), view["radius"]
        if anew:
            self._look_from(view)
        self._add_points()
        self._add_cameras(model, _SMALLER * view["camera_size"])

    def show_photo(self, name: str) -> None:
        """Show a photo with its keypoints beside the model."""
        try:
            picture = photo_with_keypoints(self._files, name)
        except (ImageError, OSError) as error:
            self._name.content = _plain(f"{name}: {error}")
            return
        self._name.content = _plain(name)
        if self._photo is None:
            self._photo = self._server.gui.add_image(picture, format="jpeg")
        else:
            self._photo.image = picture

    def _look_from(self, view: dict[str, Any]) -> None:
        self._server.scene.set_up_direction(tuple(view["up"]))
        target, eye = np.array(view["target"]), np.array(view["eye"])
        looking = [client.camera for client in self._server.get_clients().values()]
        for camera in (self._server.initial_camera, *looking):
            camera.position = tuple(target + _NEARER * (eye - target))
            camera.look_at, camera.up = tuple(target), tuple(view["up"])

    def _add_points(self) -> None:
        assert self._points is not None
        self._cloud = self._server.scene.add_point_cloud(
            "/points",
            self._points.xyz,
            self._colours(),
            point_size=self._point_size,
            point_shape="circle",
            precision="float32",  # half precision would move points of large coordinates
        )

    def _add_cameras(self, model: CameraModel, size: float) -> None:
        for name in self._cameras.keys() - model.images.keys():
            self._cameras.pop(name).remove()
        for name, image in model.images.items():
            number = self._numbers.setdefault(name, len(self._numbers))
            tan_x, tan_y = pose(image, model.camera_of(name))["tan"]
            frustum = self._server.scene.add_camera_frustum(
                f"/cameras/{number}",
                fov=2 * float(np.arctan(tan_y)),
                aspect=float(tan_x / tan_y),
                scale=size,
                color=_CHOSEN if name == self._chosen else _UNCHOSEN,
                wxyz=quaternion(image.rotation.T),
                position=image.center,
                visible=self._shown.value,
            )
            frustum.on_click(lambda _, name=name: self.choose(name))
            self._cameras[name] = frustum

    def choose(self, name: str) -> None:
        """Mark a camera and show its photo."""
        self._chosen = name
        # A list: clicks come from viser's threads, while a growing model adds cameras.
        for other, frustum in list(self._cameras.items()):
            frustum.color = _CHOSEN if other == name else _UNCHOSEN
        self.show_photo(name)

    @property
    def _point_size(self) -> float:
        return float(0.007 * self._size * self._scale.value)

    def _colours(self) -> np.ndarray:
        assert self._points is not None
        by: Colouring = self._colouring.value
        return point_colours(self._points, by)

    def _recolour(self) -> None:
        if self._cloud is not None:
            self._cloud.colors = self._colours()

    def _resize(self) -> None:
        if self._cloud is not None:
            self._cloud.point_size = self._point_size

    def _show_cameras(self) -> None:
        for frustum in list(self._cameras.values()):
            frustum.visible = self._shown.value


def _some(points: SparsePoints) -> SparsePoints:
    """At most `MOST_POINTS`, evenly chosen."""
    if len(points) <= MOST_POINTS:
        return points
    kept = np.linspace(0, len(points) - 1, MOST_POINTS).astype(int)
    return SparsePoints(
        points.xyz[kept],
        points.colours[kept],
        points.errors_px[kept],
        points.track_lengths[kept],
        {},
    )


def _plain(text: str) -> str:
    """Text that markdown leaves as it is, whatever a photo is called."""
    return "".join(f"\\{c}" if c in r"\`*_{}[]()<>#+-.!|~$&:" else c for c in text)
