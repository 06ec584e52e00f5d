"""Steps as commands, with hloc's options."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from dot_pictures import save

from dad_sfm import match_features
from dad_sfm.core.step_command import run_step


def step(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"dad_sfm.{name}", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_extract_features_as_hloc_is_called(tmp_path: Path) -> None:
    save(tmp_path / "photos" / "a.png")
    (tmp_path / "photos" / "b.png").write_bytes(b"no image")
    done = step(
        "extract_features",
        "--image_dir", tmp_path / "photos",
        "--export_dir", tmp_path / "out",
        "--conf", "sift",
        "--as_half",
    )  # fmt: skip
    assert done.returncode == 3, done.stderr  # one image was left out
    assert done.stdout.strip() == str(tmp_path / "out" / "feats-sift.h5")
    assert "skipped b.png" in done.stderr
    done = step("extract_features", "--image_dir", tmp_path / "none", "--export_dir", tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("dad_sfm.extract_features: no such image folder")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "required"),
    [
        ("extract_features", "--image_dir"),
        ("pairs", "--output"),
        ("match_features", "--features"),
        ("database", "--database"),
        ("reconstruction", "--sfm_dir"),
    ],
)
def test_no_step_says_nothing_and_does_nothing(name: str, required: str) -> None:
    done = step(name)
    assert done.returncode == 2
    assert required in done.stderr


def test_match_features_takes_hlocs_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with h5py.File(tmp_path / "feats.h5", "w") as file:
        for name in "ab":
            file[f"{name}/keypoints"] = np.zeros((2, 2), np.float32)
            file[f"{name}/descriptors"] = np.eye(2, dtype=np.float32)
            file[f"{name}/image_size"] = [9, 9]
    (tmp_path / "pairs.txt").write_text("a b\n")
    arguments = f"--pairs {tmp_path}/pairs.txt --export_dir {tmp_path} --features feats"
    options = {"preset": match_features.preset, "default_conf": "NN-mutual"}
    assert run_step(match_features.main, argv=arguments.split(), **options) == 0
    written = tmp_path / "feats_matches-NN-mutual_pairs.h5"
    assert capsys.readouterr().out.strip() == str(written)
    with h5py.File(written) as file:
        assert file["a/b/matches0"][()].tolist() == [0, 1]
