"""A run of the preset, made small: from photos to weights that describe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dad_sfm.descriptors import DESCRIPTORS
from dad_sfm.models.checkpoints import file_metadata, sha256_of
from dad_sfm.models.dad_weights import find_weights
from dad_sfm.train.data.described_photos import TeacherConf
from dad_sfm.train.package import package
from dad_sfm.train.presets import PRESETS
from dad_sfm.train.runs import train


@pytest.mark.slow
def test_a_run_ends_in_weights_that_describe(photos: Path, tmp_path: Path) -> None:
    preset = PRESETS["descriptor"]
    teacher = TeacherConf(
        name="rootsift", keypoints=60, coarse_keypoints=20, anywhere=10, resize_max=200
    )
    conf = replace(
        preset,
        data=replace(
            preset.data, size=96, batch=2, least=5, described=str(tmp_path / "d"), teacher=teacher
        ),
        loop=replace(preset.loop, steps=2, validate_every=2, save_every=2),
        validation=replace(preset.validation, batches=1),
    )
    weights = train(conf, [photos], tmp_path / "run", device="cpu", tracker="none")
    packed = package(weights, tmp_path / "packed.safetensors")
    assert file_metadata(packed)["encoder"] == sha256_of(find_weights("nano"))
    describe = DESCRIPTORS.make({"name": "hypercolumn", "weights": str(packed)})
    found = describe(torch.rand(3, 64, 96), torch.tensor([[20.0, 30.0], [50.5, 12.25]]))
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2))
