"""Extraction and matching in shards: the merged files are those of one run."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from dot_pictures import described, dots, save

from dad_sfm import cli, extract_features, match_features, pairs
from dad_sfm.execution.shards import shard_files
from dad_sfm.io.store import FeatureReader, inspect, merge

SCRIPT = Path(__file__).parents[1] / "pipelines" / "slurm_array.sh"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for k in range(7):
        points = rng.uniform(20, 180, (3, 2)).astype(np.float32)
        save(tmp_path / "photos" / f"{k}.png", dots((203, 201), points))
    return tmp_path / "photos"


@pytest.mark.usefixtures("dot_plugins")
def test_shards_merge_into_what_one_run_makes(photos: Path, tmp_path: Path) -> None:
    (photos / "cut off.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    whole, merged = tmp_path / "whole.h5", tmp_path / "merged.h5"
    extract_features.main(described(), photos, feature_path=whole)
    for k in (1, 2, 3):
        path = extract_features.main(described(), photos, feature_path=merged, shard=f"{k}/3")
        assert path == tmp_path / f"merged.{k}-of-3.h5"
    merge(merged, shard_files(merged))
    assert inspect(merged).digest == inspect(whole).digest
    with FeatureReader(merged) as reader, FeatureReader(whole) as expected:
        assert reader.failures == expected.failures
        assert len(reader.failures) == 1
        assert reader.provenance == expected.provenance
    paired = pairs.main(tmp_path / "pairs.txt", features=merged)
    conf, matches = match_features.preset("NN-mutual"), tmp_path / "matches.h5"
    match_features.main(conf, paired, merged, matches=tmp_path / "whole-matches.h5")
    for k in (1, 2, 3):
        match_features.main(conf, paired, merged, matches=matches, shard=f"{k}/3")
    assert cli.main(["merge", str(matches)]) == 0
    assert inspect(matches).entries == 21
    assert inspect(matches).digest == inspect(tmp_path / "whole-matches.h5").digest


@pytest.mark.usefixtures("dot_plugins")
def test_a_shard_of_bad_photos_is_done(photos: Path, tmp_path: Path) -> None:
    for photo in photos.iterdir():
        photo.write_bytes(b"nothing")
    for k in (1, 2):
        path = extract_features.main(
            described(), photos, feature_path=tmp_path / "f.h5", shard=f"{k}/2"
        )
        assert path.exists()
    merge(tmp_path / "f.h5", shard_files(tmp_path / "f.h5"))
    assert len(FeatureReader(tmp_path / "f.h5").failures) == 7


def test_which_shards_are_missing_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "f.2-of-3.h5").touch()
    assert cli.main(["merge", str(tmp_path / "f.h5")]) == cli.USER_ERROR
    assert "2 of 3 shards are missing (1, 3)" in capsys.readouterr().err


def test_the_job_script_names_its_shard_and_takes_bad_photos_for_success(tmp_path: Path) -> None:
    command = tmp_path / "dad-sfm"
    command.write_text('#!/bin/sh\necho "$@"\nexit $CODE\n')
    command.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    for code, expected in ((0, 0), (3, 0), (1, 1)):
        job = subprocess.run(
            ["bash", SCRIPT, "8", "extract", "my photos"],
            env={**os.environ, "PATH": path, "SLURM_ARRAY_TASK_ID": "5", "CODE": str(code)},
            capture_output=True,
            text=True,
        )
        assert job.stdout == "extract my photos --shard 5/8\n"
        assert job.returncode == expected
