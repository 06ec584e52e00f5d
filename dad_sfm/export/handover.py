"""Hand-over of a finished reconstruction, by the name of who takes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..io.output import Output
from .gltf import export_gltf
from .kapture import export_kapture
from .metashape import export_metashape
from .nerfstudio import export_nerfstudio
from .pinhole import ExportError
from .plain import export_colmap_text, export_ply
from .undistorted import export_gs

HANDOVERS: dict[str, Callable[..., Path]] = {
    "gs": export_gs,
    "nerfstudio": export_nerfstudio,
    "ply": export_ply,
    "gltf": export_gltf,
    "kapture": export_kapture,
    "metashape": export_metashape,
    "colmap-text": export_colmap_text,
}


def hand_over(out: Path | str, kind: str, folder: Path | str | None = None, **options: Any) -> Path:
    """Export the largest model of an output folder; returns the folder of the export.

    kind     a name of `HANDOVERS`; ``options`` are its own
    folder   ``export/<kind>`` in the output folder by default

    Raises `ExportError` where there is no model, and what the export raises.
    """
    files = Output(Path(out))
    if kind not in HANDOVERS:
        raise ExportError(f"unknown export {kind!r}; there are: {', '.join(sorted(HANDOVERS))}")
    if not files.models() or not files.report.is_file():
        raise ExportError(f"{out} is not the output folder of a reconstruction: it has no model")
    report = json.loads(files.report.read_text(encoding="utf-8"))
    target = Path(folder) if folder is not None else files.root / "export" / kind
    return HANDOVERS[kind](files.models()[0], report["image_dir"], target, **options)
