"""A model as files as it is, photos untouched: points, and COLMAP's text."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..colmap.model import open_model
from ..colmap.points import SparsePoints, read_points
from .folder import export_folder


def export_ply(model: Path | str, image_dir: Path | str, folder: Path | str) -> Path:
    """Write ``points.ply``: the coloured points, binary; returns the folder.

    Raises `ExportError` and FileNotFoundError.
    """
    with export_folder(Path(folder), "ply") as partial:
        write_ply(read_points(model), partial / "points.ply")
    return Path(folder)


def write_ply(points: SparsePoints, path: Path) -> None:
    """Positions and colours, and as further properties the error and the track length."""
    kinds = np.dtype(
        [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("red", "u1"), ("green", "u1"), ("blue", "u1"),
         ("error", "<f4"), ("track_length", "<i4")]
    )  # fmt: skip
    names = {"<f4": "float", "|u1": "uchar", "<i4": "int"}
    rows = np.zeros(len(points), kinds)
    for axis, key in enumerate("xyz"):
        rows[key] = points.xyz[:, axis]
    for channel, key in enumerate(("red", "green", "blue")):
        rows[key] = points.colours[:, channel]
    rows["error"], rows["track_length"] = points.errors_px, points.track_lengths
    header = [
        "ply",
        "format binary_little_endian 1.0",
        f"element vertex {len(points)}",
        *(f"property {names[kinds[key].str]} {key}" for key in kinds.names or ()),
        "end_header\n",
    ]
    path.write_bytes("\n".join(header).encode("ascii") + rows.tobytes())


def export_colmap_text(model: Path | str, image_dir: Path | str, folder: Path | str) -> Path:
    """Write the model as COLMAP's text files; returns the folder.

    Raises `ExportError`, `ModelError` and FileNotFoundError.
    """
    with export_folder(Path(folder), "colmap-text") as partial:
        open_model(model).write_text(str(partial))
    return Path(folder)
