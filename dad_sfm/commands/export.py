"""``dad-sfm export KIND``: files for other programs, one module per kind."""

from __future__ import annotations

import argparse

from . import Command, export_colmap_db, export_gs, export_onnx
from .export_model import ModelExport
from .shared import add_kinds

SUMMARY = (
    "files for other programs: ONNX, COLMAP, splatting, nerfstudio, PLY, glTF, kapture, Metashape"
)

KINDS: dict[str, Command] = {
    "onnx": export_onnx,
    "colmap-db": export_colmap_db,
    "gs": export_gs,
    "nerfstudio": ModelExport("nerfstudio", "transforms.json, undistorted photos, points"),
    "ply": ModelExport("ply", "the coloured points"),
    "gltf": ModelExport("gltf", "points and cameras as one .glb file, for Blender and viewers"),
    "kapture": ModelExport("kapture", "a folder of kapture 1.1, with links to the photos"),
    "metashape": ModelExport("metashape", "cameras and poses as Metashape imports them"),
    "colmap-text": ModelExport("colmap-text", "the model as COLMAP's text files"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_kinds(parser, KINDS)


def run(options: argparse.Namespace) -> int:
    return KINDS[options.kind].run(options)
