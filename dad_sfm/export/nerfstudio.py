"""A data set of nerfstudio: ``transforms.json``, undistorted photos and the points.

``ns-train splatfacto --data FOLDER`` and every other method read it.  Camera poses are in the
model's own world, with OpenGL's axes in the camera (x right, y up, z backwards), as nerfstudio
wants them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from .folder import export_folder
from .undistorted import Handover, handover, write_undistorted

_POINTS = "sparse_pc.ply"
_OPENGL_FROM_COLMAP = np.diag([1.0, -1.0, -1.0, 1.0])  # axes of the camera


def export_nerfstudio(model: Path | str, image_dir: Path | str, folder: Path | str) -> Path:
    """Write the data set; returns the folder.

    Raises `ExportError`, `ImageError` and FileNotFoundError.
    """
    with export_folder(Path(folder), "nerfstudio") as partial:
        given = handover(model, image_dir)
        write_undistorted(given, partial, Path("colmap", "sparse", "0"))
        document = transforms(given)
        (partial / "transforms.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
        _write_points(given.model, partial / _POINTS)
    return Path(folder)


def transforms(given: Handover) -> dict[str, Any]:
    """The content of ``transforms.json``."""
    frames = []
    for image in sorted(given.model.images.values(), key=lambda image: image.name):
        if image.name not in given.photos:
            continue
        world_from_cam = np.vstack([image.cam_from_world().inverse().matrix(), [0, 0, 0, 1]])
        frames.append(
            {
                "file_path": f"images/{image.name}",
                **_intrinsics(given.model.cameras[image.camera_id]),
                "transform_matrix": (world_from_cam @ _OPENGL_FROM_COLMAP).tolist(),
            }
        )
    return {"camera_model": "OPENCV", "ply_file_path": _POINTS, "frames": frames}


def _intrinsics(camera: Any) -> dict[str, Any]:
    fx, fy, cx, cy = (float(v) for v in camera.params)
    size = {"w": int(camera.width), "h": int(camera.height)}
    return {"fl_x": fx, "fl_y": fy, "cx": cx, "cy": cy, **size}


def _write_points(model: Any, path: Path) -> None:
    """An ASCII PLY of the coloured points."""
    points = [model.points3D[i] for i in sorted(model.points3D)]
    header = [
        "ply",
        "format ascii 1.0",
        f"element vertex {len(points)}",
        *(f"property float {axis}" for axis in "xyz"),
        *(f"property uint8 {colour}" for colour in ("red", "green", "blue")),
        "end_header",
    ]
    rows = (
        " ".join([*(f"{v:.9g}" for v in point.xyz), *(str(int(c)) for c in point.color)])
        for point in points
    )
    path.write_text("\n".join([*header, *rows]) + "\n", encoding="ascii")
