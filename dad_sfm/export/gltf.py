"""A model as one binary glTF 2.0 file: points and cameras, as Blender and viewers open it.

glTF has y upwards and its cameras look along -z with y upwards; COLMAP's have y downwards and look
along +z.  A root node turns the scene by half a turn about x, each camera its own axes likewise.
"""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np

from ..colmap.model import read_model
from ..colmap.points import SparsePoints, read_points
from ..geometry.cameras import CameraModel
from .folder import export_folder

_HALF_TURN = np.diag([1.0, -1.0, -1.0, 1.0])
_FLOAT, _BYTE, _ARRAY_BUFFER, _POINTS = 5126, 5121, 34962, 0  # glTF's numbers for them


def export_gltf(model: Path | str, image_dir: Path | str, folder: Path | str) -> Path:
    """Write ``scene.glb``; returns the folder.  Lens distortion is left out: glTF has none.

    Raises `ExportError`, `ModelError` and FileNotFoundError.
    """
    with export_folder(Path(folder), "gltf") as partial:
        (partial / "scene.glb").write_bytes(glb(read_model(model), read_points(model)))
    return Path(folder)


def glb(model: CameraModel, points: SparsePoints) -> bytes:
    """The content of the file."""
    nodes: list[dict[str, Any]] = [{"name": "reconstruction", "matrix": _columns(_HALF_TURN)}]
    cameras = []
    for name, image in sorted(model.images.items()):
        camera = model.camera_of(name)
        focal = camera.params[0]
        height = 2 * math.atan2(camera.height / 2, focal)
        cameras.append(
            {
                "type": "perspective",
                "name": name,
                "perspective": {
                    "aspectRatio": camera.width / camera.height,
                    "yfov": height,
                    "znear": 0.01,
                },
            }
        )
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = image.rotation.T, image.center
        matrix = _columns(pose @ _HALF_TURN)
        nodes.append({"name": name, "camera": len(cameras) - 1, "matrix": matrix})
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "dad_sfm"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": nodes,
    }
    data = b""
    if len(points):
        data = _add_points(document, points)
    nodes[0]["children"] = list(range(1, len(nodes)))
    if cameras:
        document["cameras"] = cameras
    return _container(document, data)


def _add_points(document: dict[str, Any], points: SparsePoints) -> bytes:
    """Add a mesh of points and a node for it; returns the buffer."""
    xyz = points.xyz.astype("<f4")
    opaque = np.full((len(points), 1), 255, np.uint8)
    rgba = np.concatenate([points.colours, opaque], axis=1)
    views = [(0, xyz.nbytes), (xyz.nbytes, rgba.nbytes)]
    document["buffers"] = [{"byteLength": xyz.nbytes + rgba.nbytes}]
    document["bufferViews"] = [
        {"buffer": 0, "byteOffset": at, "byteLength": size, "target": _ARRAY_BUFFER}
        for at, size in views
    ]
    position = {"bufferView": 0, "componentType": _FLOAT, "count": len(points), "type": "VEC3"}
    position |= {"min": xyz.min(axis=0).tolist(), "max": xyz.max(axis=0).tolist()}
    colour = {"bufferView": 1, "componentType": _BYTE, "count": len(points), "type": "VEC4"}
    document["accessors"] = [position, {**colour, "normalized": True}]
    attributes = {"POSITION": 0, "COLOR_0": 1}
    document["meshes"] = [{"primitives": [{"attributes": attributes, "mode": _POINTS}]}]
    document["nodes"].append({"name": "points", "mesh": 0})
    return xyz.tobytes() + rgba.tobytes()


def _container(document: dict[str, Any], data: bytes) -> bytes:
    text = json.dumps(document, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    if data:
        data += b"\0" * (-len(data) % 4)
        chunks += struct.pack("<I4s", len(data), b"BIN\0") + data
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def _columns(matrix: np.ndarray) -> list[float]:
    return [float(v) for v in matrix.T.ravel()]
