"""hloc's extraction of one image after another, without resizing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from PIL import Image

from . import extractors
from .utils.base_model import dynamic_load

confs: dict[str, Any] = {"sift": {"output": "feats-sift", "model": {"name": "dog"}}}


@torch.no_grad()
def main(
    conf: dict[str, Any],
    image_dir: Path,
    export_dir: Path | None = None,
    as_half: bool = True,
    image_list: list[str] | None = None,
    feature_path: Path | None = None,
    overwrite: bool = False,
) -> Path:
    assert conf["preprocessing"] == {"grayscale": False, "resize_max": None}
    feature_path = feature_path or Path(export_dir, conf["output"] + ".h5")
    model = dynamic_load(extractors, conf["model"]["name"])(conf["model"]).eval()
    with h5py.File(feature_path, "a") as file:
        for name in image_list or sorted(path.name for path in image_dir.glob("*.png")):
            pixels = np.asarray(Image.open(image_dir / name).convert("RGB"), np.float32)
            data = {"image": torch.from_numpy(pixels.transpose(2, 0, 1) / 255)[None]}
            found = {k: v[0].cpu().numpy() for k, v in model(data).items()}
            size = np.array(pixels.shape[1::-1])
            scales = (size / size).astype(np.float32)
            found["keypoints"] = (found["keypoints"] + 0.5) * scales[None] - 0.5
            found["image_size"] = size
            for key, values in found.items():
                half = as_half and values.dtype == np.float32
                file[f"{name}/{key}"] = values.astype(np.float16) if half else values
            noise = getattr(model, "detection_noise", 1) * scales.mean()
            file[name]["keypoints"].attrs["uncertainty"] = noise
    return feature_path
