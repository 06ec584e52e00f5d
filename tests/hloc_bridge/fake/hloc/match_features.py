"""hloc's matching of one pair after another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import torch

from . import matchers
from .utils.base_model import dynamic_load

confs: dict[str, Any] = {"NN-mutual": {"output": "nn", "model": {"name": "nearest_neighbor"}}}


@torch.no_grad()
def main(
    conf: dict[str, Any],
    pairs: Path,
    features: Path,
    export_dir: Path | None = None,
    matches: Path | None = None,
    features_ref: Path | None = None,
    overwrite: bool = False,
) -> Path:
    model = dynamic_load(matchers, conf["model"]["name"])(conf["model"]).eval()
    assert matches is not None
    with h5py.File(features) as file, h5py.File(matches, "a") as out:
        for names in map(str.split, pairs.read_text().splitlines()):
            data = {
                f"{key}{side}": torch.from_numpy(values[()]).float()[None]
                for side, name in enumerate(names)
                for key, values in file[name].items()
            }
            found = model(data)
            key = "/".join(name.replace("/", "-") for name in names)
            out[f"{key}/matches0"] = found["matches0"][0].cpu().short().numpy()
            out[f"{key}/matching_scores0"] = found["matching_scores0"][0].cpu().half().numpy()
    return matches
