"""``dad-sfm reconstruct``"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..core.arguments import add_set, count, numbers
from ..core.isolation import started_ahead
from .shared import SOME_LEFT_OUT, add_device, add_engine, add_preprocessing, add_workers

SUMMARY = "photos -> model and report"

# Flag -> the field of `ReconstructionConf` that it stands for.
_FIELDS = {
    "resize": "features.preprocessing.resize_max",
    "max_keypoints": "features.model.max_keypoints",
    "turns": "features.preprocessing.turns",
    "mask_dir": "features.preprocessing.mask_dir",
    "camera_mask": "features.preprocessing.camera_mask",
    "range": "features.preprocessing.grey_range",
    "camera_mode": "cameras.mode",
    "camera_model": "cameras.model",
    "camera_params": "cameras.params",
    "intrinsics": "cameras.intrinsics",
    "rigs": "cameras.rigs",
    "fixed_cameras": "cameras.fixed",
    "mapper": "mapping.mapper",
    "seed": "seed",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s SCENE [OPTION ...]"
    parser.add_argument("scene", help="folder of images or holding images/, video, or data set")
    parser.add_argument("--out", type=Path, help="default: outputs/<scene>-<digest of its path>")
    parser.add_argument("--image-list", metavar="FILE", help="only these photos, a name per line")
    parts = parser.add_argument_group("configuration")
    parts.add_argument("--config", type=Path, metavar="FILE", help="YAML file; flags override it")
    parts.add_argument("--features", metavar="NAME", help="feature preset")
    parts.add_argument("--matcher", metavar="NAME", help="matcher preset")
    parts.add_argument(
        "--pairs", metavar="NAME|FILE", help="pairing, or several: spatial+sequential; or a file"
    )
    add_preprocessing(parts)
    parts.add_argument("--max-keypoints", type=count, metavar="N", help="keypoints per image")
    parts.add_argument("--camera-mode", choices=["auto", "single", "per_folder", "per_image"])
    parts.add_argument("--camera-model", metavar="NAME", help="COLMAP's name")
    parts.add_argument(
        "--camera-params",
        type=numbers,
        metavar="PX",
        help="known intrinsics F,CX,... in the model's order",
    )
    parts.add_argument("--intrinsics", metavar="FILE", help="known cameras, by image or folder")
    parts.add_argument("--rigs", metavar="FILE", help="COLMAP's rig_config.json")
    parts.add_argument(
        "--fixed-cameras",
        action="store_true",
        default=None,
        help="keep known intrinsics and rigs fixed",
    )
    parts.add_argument("--mapper", choices=["incremental", "global", "hierarchical"])
    parts.add_argument("--seed", type=int)
    add_set(parts, "any other field: verification.max_error_px=4 pairing.options.overlap=5")
    parts.add_argument(
        "--feature-file",
        type=Path,
        metavar="FILE",
        help="use this feature file instead of extracting",
    )
    parts.add_argument(
        "--match-file", type=Path, metavar="FILE", help="use this match file instead of matching"
    )
    kinds = ["gs", "nerfstudio", "ply", "gltf", "kapture", "metashape", "colmap-text"]
    parser.add_argument(
        "--export", nargs="+", default=[], choices=kinds, metavar="KIND", help=", ".join(kinds)
    )
    running = parser.add_argument_group("execution")
    running.add_argument(
        "--threads",
        type=count,
        metavar="N",
        help="threads of COLMAP; with 1, a run can be repeated exactly",
    )
    running.add_argument(
        "--colmap-hours",
        type=float,
        default=48.0,
        metavar="H",
        help="time limit of COLMAP per stage",
    )
    running.add_argument("--overwrite", action="store_true", help="extract and match again")
    how = ["link", "copy", "none"]
    running.add_argument(
        "--images",
        default="link",
        choices=how,
        metavar="HOW",
        help=f"images/ beside the model: {', '.join(how)}",
    )
    add_device(running)
    add_workers(running)
    add_engine(running)


def run(options: argparse.Namespace) -> int:
    # COLMAP's two stages need none of what this process loads first.
    with started_ahead(2, "dad_sfm.database", "dad_sfm.reconstruction", "pycolmap", "poselib"):
        return _run(options)


def _run(options: argparse.Namespace) -> int:
    from ..core.config import read_yaml
    from ..export.handover import hand_over
    from ..io.scenes import default_output
    from ..io.video_frames import extract_frames, is_video
    from ..pipeline import GivenFiles, ReconstructionConf, reconstruct
    from ..report import summary_lines

    parts: dict[str, Any] = read_yaml(options.config) if options.config else {}
    strategy, pairs_file = _pairs(options.pairs)
    named = {"features": options.features, "matcher": options.matcher, "pairing": strategy}
    parts |= {name: value for name, value in named.items() if value is not None}
    given = {field: getattr(options, flag) for flag, field in _FIELDS.items()}
    changes = {field: value for field, value in given.items() if value is not None}
    conf = ReconstructionConf.make(parts).changed({**changes, **dict(options.set)})
    out = options.out or default_output(options.scene)
    scene = options.scene
    if is_video(scene):
        scene = extract_frames(scene, out.with_name(f"{out.name}.frames"))
    report = reconstruct(
        scene,
        out,
        conf,
        image_list=options.image_list,
        given=GivenFiles(pairs_file, options.feature_file, options.match_file),
        images=options.images,
        num_threads=options.threads,
        colmap_hours=options.colmap_hours,
        overwrite=options.overwrite,
        device=options.device,
        workers=options.workers,
        engine=options.engine,
    )
    exported = [hand_over(out, kind) for kind in options.export]
    print("\n".join(summary_lines(report)))
    print(*(f"  written   {path}" for path in (out, *exported)), sep="\n")
    return SOME_LEFT_OUT if report.failed_images else 0


def _pairs(given: str | None) -> tuple[str | None, Path | None]:
    """Strategies, or else a pairs file.  Raises FileNotFoundError for a path without a file."""
    from ..pairing import PAIRING

    if given is None or given in PAIRING.names or not (Path(given).suffix or Path(given).is_file()):
        return given, None
    if not Path(given).is_file():
        raise FileNotFoundError(f"no such pairs file: {given}")
    return None, Path(given)
