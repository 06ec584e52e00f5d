"""``dad-sfm reconstruct``"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..core.arguments import add_set, count
from .shared import SOME_LEFT_OUT, add_device, add_preprocessing

SUMMARY = "photos -> model and report"

# Flag -> the field of `ReconstructionConf` that it stands for.
_FIELDS = {
    "resize": "features.preprocessing.resize_max",
    "max_keypoints": "features.model.max_keypoints",
    "mask_dir": "features.preprocessing.mask_dir",
    "camera_mask": "features.preprocessing.camera_mask",
    "range": "features.preprocessing.grey_range",
    "camera_mode": "cameras.mode",
    "camera_model": "cameras.model",
    "seed": "seed",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scene", help="folder of images, folder holding images/, or a data set")
    parser.add_argument("--out", type=Path, help="output folder (default: outputs/<scene>)")
    parts = parser.add_argument_group("configuration")
    parts.add_argument("--config", type=Path, metavar="FILE", help="YAML file; flags override it")
    parts.add_argument("--features", metavar="NAME", help="feature preset")
    parts.add_argument("--matcher", metavar="NAME", help="matcher preset")
    parts.add_argument("--pairs", metavar="NAME", help="pairing, or several: spatial+sequential")
    add_preprocessing(parts)
    parts.add_argument("--max-keypoints", type=count, metavar="N", help="keypoints per image")
    parts.add_argument("--camera-mode", choices=["auto", "single", "per_folder", "per_image"])
    parts.add_argument("--camera-model", metavar="NAME", help="COLMAP's name")
    parts.add_argument("--seed", type=int)
    add_set(parts, "any other field: verification.max_error_px=4 pairing.options.overlap=5")
    running = parser.add_argument_group("execution")
    running.add_argument("--threads", type=count, help="of COLMAP; with 1 a run repeats exactly")
    running.add_argument("--overwrite", action="store_true", help="extract and match anew")
    add_device(running)


def run(options: argparse.Namespace) -> int:
    from ..core.config import read_yaml
    from ..io.scenes import find_scene
    from ..pipeline import ReconstructionConf, reconstruct
    from ..report import summary_lines

    parts: dict[str, Any] = read_yaml(options.config) if options.config else {}
    named = {"features": options.features, "matcher": options.matcher, "pairing": options.pairs}
    parts |= {name: value for name, value in named.items() if value is not None}
    given = {field: getattr(options, flag) for flag, field in _FIELDS.items()}
    changes = {field: value for field, value in given.items() if value is not None}
    conf = ReconstructionConf.make(parts).changed({**changes, **dict(options.set)})
    out = options.out or Path("outputs", find_scene(options.scene).name)
    report = reconstruct(
        options.scene,
        out,
        conf,
        num_threads=options.threads,
        overwrite=options.overwrite,
        device=options.device,
    )
    print("\n".join(summary_lines(report)))
    print(f"  written   {out}")
    return SOME_LEFT_OUT if report.failed_images else 0
