"""`pipelines/phototourism.py`: its settings, its table, and real photos laid out alike."""

from __future__ import annotations

import argparse
import runpy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from dad_sfm.io.scenes import SceneError
from dad_sfm.reconstruction import ReconstructionError


@pytest.fixture(scope="module")
def script(request: pytest.FixtureRequest) -> dict[str, Callable[..., Any]]:
    return runpy.run_path(str(request.config.rootpath / "pipelines" / "phototourism.py"))


def options(**given: Any) -> argparse.Namespace:
    values = {
        "features": "sift",
        "matcher": "dual-softmax",
        "weights": None,
        "max_keypoints": 16_000,
        "resize": 1280,
        "num_matched": 25,
        "global_descriptors": None,
        **given,
    }
    return argparse.Namespace(**values)


def test_few_photos_are_matched_exhaustively_and_many_by_retrieval(script) -> None:
    few, many = (script["configuration"](n, options()) for n in (29, 30))
    assert few.pairing.strategy == "exhaustive"
    assert many.pairing.strategy == "retrieval"
    assert many.pairing.options == {"num_matched": 25}
    assert few.cameras.mode == "per_image"
    assert few.features.model["max_keypoints"] == 16_000
    assert few.features.preprocessing.resize_max == 1280
    assert few.features.preprocessing.resize_force is True
    given = options(global_descriptors=Path("netvlad.h5"), weights="w.pth")
    named = script["configuration"](30, given)
    assert named.pairing.options["descriptors"] == "netvlad.h5"
    assert named.features.model["weights"] == "w.pth"


def test_the_table_tells_of_the_largest_model(script) -> None:
    models = [
        SimpleNamespace(
            number=n, images=images, points=10 * images, mean_track_length=3.456,
            mean_reprojection_error_px=0.789,
        )
        for n, images in enumerate((3, 7))
    ]  # fmt: skip
    report = SimpleNamespace(models=models, seconds={"total": 90.0})
    scene = SimpleNamespace(name="yard", names=list("abcdefghi"))
    row = script["row"](scene, "sift", report)
    assert row == "| yard | sift | 7 of 9 | 70 | 3.46 | 0.79 | 1.5 |"
    assert row.count("|") == script["HEAD"].count("|")


def test_all_scenes_are_checked_before_the_first_is_reconstructed(script, tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="lost is no scene"):
        script["main"]([str(tmp_path / "lost"), "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_a_scene_without_a_model_does_not_cost_the_others(
    script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reconstruct(image_dir: Path, *_: Any, **__: Any) -> Any:
        raise ReconstructionError("no_verified_pair", f"nothing in {image_dir}")

    monkeypatch.setitem(script["run"].__globals__, "reconstruct", reconstruct)
    for name in ("blank", "grey"):
        (tmp_path / name / "images").mkdir(parents=True)
        for k in range(2):
            Image.new("RGB", (8, 8)).save(tmp_path / name / f"images/{k}.png")
    scenes = [str(tmp_path / name) for name in ("blank", "grey")]
    table = script["main"]([*scenes, "--out", str(tmp_path / "out"), "--features", "sift"])
    rows = table.read_text(encoding="utf-8").splitlines()[2:]
    assert rows == [f"| {name} | sift | 0 of 2 | | | | |" for name in ("blank", "grey")]


@pytest.mark.slow
@pytest.mark.shared
def test_real_photos_laid_out_alike(script, shared: Path, tmp_path: Path) -> None:
    scene = tmp_path / "sacre_coeur"
    scene.mkdir()
    (scene / "images").symlink_to(shared / "scenes/sacre_coeur/images")
    arguments = [str(scene), "--out", str(tmp_path / "out"), "--features", "sift"]
    arguments += ["--matcher", "NN-ratio", "--max-keypoints", "2000", "--device", "cpu"]
    table = script["main"](arguments).read_text(encoding="utf-8").splitlines()
    registered = int(table[2].split("|")[3].split()[0])
    assert registered >= 3
    assert Image.open(tmp_path / "out/sacre_coeur/depth.jpg").size[0] > 200
