"""Cameras as Agisoft Metashape imports them: ``cameras.xml`` (File, Import, Import Cameras).

Metashape's frame camera (user manual, appendix "Camera models"), x = X/Z, y = Y/Z, r² = x² + y²:

    x' = x (1 + K1 r² + K2 r⁴ + ...) + P1 (r² + 2x²) + 2 P2 xy
    y' = y (1 + K1 r² + K2 r⁴ + ...) + P2 (r² + 2y²) + 2 P1 xy
    u  = W/2 + cx + f x' + B1 x',   v = H/2 + cy + f y'

with the pixel frame of COLMAP and cameras that look along +Z, Y down.  P1 and P2 are OpenCV's
p2 and p1.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

import numpy as np

from ..colmap.model import read_model
from ..geometry.cameras import Camera, CameraModel, PosedImage
from .folder import export_folder
from .pinhole import ExportError


def export_metashape(model: Path | str, image_dir: Path | str, folder: Path | str) -> Path:
    """Write ``cameras.xml`` of the cameras and poses; returns the folder.

    Metashape finds its photos by label, which is the name of the file without folder and suffix.
    Raises `ExportError` for camera models that it has not and for labels that are not unique,
    `ModelError` and FileNotFoundError.
    """
    found = read_model(model)
    root = ElementTree.Element("document", version="1.5.0")
    chunk = ElementTree.SubElement(root, "chunk", label="dad_sfm", enabled="true")
    sensors = ElementTree.SubElement(chunk, "sensors", next_id=str(1 + max(found.cameras)))
    sensors.extend([_sensor(number, camera) for number, camera in sorted(found.cameras.items())])
    cameras = ElementTree.SubElement(chunk, "cameras", next_id=str(len(found.images)))
    cameras.extend(list(_cameras(found)))
    ElementTree.indent(root)
    with export_folder(Path(folder), "metashape") as partial:
        tree = ElementTree.ElementTree(root)
        tree.write(partial / "cameras.xml", encoding="utf-8", xml_declaration=True)
    return Path(folder)


def calibration(camera: Camera) -> dict[str, float]:
    """Metashape's parameters of a camera by name, pixels and numbers without a unit.

    Raises `ExportError` for a model that is not a frame camera of Metashape's.
    """
    p, tangential = camera.params, (0.0, 0.0)
    if camera.model in ("SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL"):
        fx = fy = p[0]
        center, radial = p[1:3], p[3:]
    elif camera.model in ("PINHOLE", "OPENCV"):
        fx, fy = p[:2]
        center, radial = p[2:4], p[4:6]
        if camera.model == "OPENCV":
            tangential = p[6], p[7]
    else:
        raise ExportError(
            f"Metashape has no camera model {camera.model}; export undistorted photos (gs) instead"
        )
    found = {
        "f": fy,
        "cx": center[0] - camera.width / 2,
        "cy": center[1] - camera.height / 2,
        "b1": fx - fy,
        **{f"k{number}": value for number, value in enumerate(radial, 1)},
        "p1": tangential[1],
        "p2": tangential[0],
    }
    return {name: float(value) for name, value in found.items() if value or name == "f"}


def _sensor(number: int, camera: Camera) -> ElementTree.Element:
    sensor = ElementTree.Element("sensor", id=str(number), label=f"camera {number}", type="frame")
    size = {"width": str(camera.width), "height": str(camera.height)}
    ElementTree.SubElement(sensor, "resolution", size)
    kind = {"type": "frame", "class": "adjusted"}
    inner = ElementTree.SubElement(sensor, "calibration", kind)
    ElementTree.SubElement(inner, "resolution", size)
    for name, value in calibration(camera).items():
        ElementTree.SubElement(inner, name).text = repr(value)
    return sensor


def _cameras(model: CameraModel) -> Iterator[ElementTree.Element]:
    labels: dict[str, str] = {}
    for number, (name, image) in enumerate(sorted(model.images.items())):
        label = PurePosixPath(name).stem
        if label in labels:
            raise ExportError(
                f"Metashape cannot tell {labels[label]} from {name}: both have the label {label}"
            )
        labels[label] = name
        about = {"id": str(number), "sensor_id": str(image.camera_id), "label": label}
        camera = ElementTree.Element("camera", about)
        text = " ".join(repr(float(v)) for v in _world_from_camera(image).ravel())
        ElementTree.SubElement(camera, "transform").text = text
        yield camera


def _world_from_camera(image: PosedImage) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = image.rotation.T, image.center
    return pose
