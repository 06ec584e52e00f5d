"""Inputs that users reported, from photos to a report: what `cases/README.md` says is right."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from dad_sfm import cli
from dad_sfm.io.listing import readable_suffixes
from dad_sfm.io.scenes import default_output

pytestmark = [pytest.mark.shared, pytest.mark.slow]


@pytest.fixture
def case(shared: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch) -> Path:
    """The folder of the case that a test is named for."""
    spec = importlib.util.spec_from_file_location("make_cases", shared / "cases/make_cases.py")
    cases = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(cases)
    folder = tmp_path / request.node.originalname.removeprefix("test_")
    folder.mkdir()
    cases.CASES[folder.name](folder)
    monkeypatch.chdir(tmp_path)  # where the default output goes
    return folder


def reconstruct(*arguments: object) -> int:
    return cli.main(["reconstruct", *map(str, arguments)])


def read(out: Path) -> dict:
    return json.loads((out / "report.json").read_text(encoding="utf-8"))


def registered(report: dict) -> int:
    return sum(image["model"] == 0 for image in report["images"])


def test_broken_exif(case: Path) -> None:
    assert reconstruct(case, "--out", "out") == 0
    report = read(Path("out"))
    assert registered(report) == 6
    assert any("damaged EXIF" in text for text in report["warnings"])


def test_linked_folders(case: Path) -> None:
    assert reconstruct(case / "photos", "--out", "out") == 0
    report = read(Path("out"))
    assert registered(report) == 6
    assert {image["name"].split("/")[0] for image in report["images"]} == {"cam0", "cam1"}


def test_same_folder_name(case: Path) -> None:
    first, second = case / "day1" / "frames", case / "day2" / "frames"
    assert reconstruct(first) == 0
    before = {p: p.read_bytes() for p in default_output(first).rglob("*") if p.is_file()}
    assert reconstruct(second) == 0
    assert {p: p.read_bytes() for p in default_output(first).rglob("*") if p.is_file()} == before
    one, two = read(default_output(first)), read(default_output(second))
    assert registered(one) == registered(two) == 6
    assert one["image_dir"] != two["image_dir"]
    assert one["models"] != two["models"]


def test_other_suffixes(case: Path) -> None:
    """``g.heic`` is no image: it is ignored, or with Pillow's plug-in read in vain."""
    read_in_vain = ".heic" in readable_suffixes()
    assert reconstruct(case, "--out", "out") == (3 if read_in_vain else 0)
    report = read(Path("out"))
    assert registered(report) == 6
    assert report["ignored_files"] == {".txt": 1} if read_in_vain else {".txt": 1, ".heic": 1}
    assert list(report["failed_images"]) == (["g.heic"] if read_in_vain else [])


def test_many_failures(case: Path) -> None:
    """The file holds two photos' features, and a line per failure; a rerun adds nothing."""
    reconstruct(case, "--out", "out")
    size = Path("out/features.h5").stat().st_size
    points = sum(image["keypoints"] for image in read(Path("out"))["images"])
    assert size < points * (2 * 4 + 4 + 2 * 128) + 600 * 300  # float32 points, half descriptors
    assert len(read(Path("out"))["failed_images"]) == 600
    reconstruct(case, "--out", "out")
    assert Path("out/features.h5").stat().st_size == size


@pytest.mark.parametrize("listed", ["bom.txt", "comments.txt", "queries_with_intrinsics.txt"])
def test_lists(case: Path, listed: str) -> None:
    assert reconstruct(case / "photos", "--out", "out", "--image-list", case / listed) == 0
    report = read(Path("out"))
    assert registered(report) == 6
    (camera,) = report["models"][0]["cameras"]
    assert camera["model"] == ("PINHOLE" if "intrinsics" in listed else "SIMPLE_RADIAL")
