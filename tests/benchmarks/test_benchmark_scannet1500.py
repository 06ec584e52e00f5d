"""ScanNet1500 on a small set in its layout, through the whole runner."""

import logging

import numpy as np
import pytest
from PIL import Image
from room import SIZE, judged, make_room, worst_auc, write_perfect_features, write_photo

from dad_sfm.benchmarks.compare import tables
from dad_sfm.benchmarks.datasets.base import DataError, Source
from dad_sfm.benchmarks.datasets.scannet1500 import camera, load
from dad_sfm.benchmarks.results import read_result
from dad_sfm.evaluation.linking import NoTruthError

SCENE = "scene0707_00"
FRAMES = ["15", "45", "105", "585"]
PAIRS = [("15", "585"), ("45", "105"), ("15", "45")]


@pytest.fixture
def scans(tmp_path):
    """Frames of a quarter of the full size; depth in millimetres at half of that."""
    room, root = make_room(FRAMES), tmp_path / "scannet"
    for frame in FRAMES:
        write_photo(root / f"scans_test/{SCENE}/color/{frame}.jpg")
        depth = root / f"scans_test/{SCENE}/depth/{frame}.png"
        depth.parent.mkdir(exist_ok=True)
        millimetres = (room.depth(frame)[::2, ::2] * 1000 + 0.5).astype(np.uint16)
        Image.fromarray(millimetres).save(depth)
    np.savez(
        root / "test.npz",
        name=np.array([(707, 0, int(a), int(b)) for a, b in PAIRS], np.uint16),
        rel_pose=np.array([room.relative_pose(a, b).ravel() for a, b in PAIRS], np.float32),
    )
    # The published K is that of a frame of 640×480: the full frame's with its rows scaled.
    fx, fy, cx, cy = room.cameras["15"].to_colmap().params
    full = np.array([[4 * fx, 0, 4 * cx - 0.5], [0, 4 * fy, 4 * cy - 0.5], [0, 0, 1]])
    np.savez(root / "intrinsics.npz", **{SCENE: full * [[640 / 1296], [480 / 968], [1]]})
    write_perfect_features(root / "f.h5", room, {f"{SCENE}/color/{f}.jpg": f for f in FRAMES})
    return root


@pytest.mark.slow
@pytest.mark.parametrize("linker", ["NN-mutual", "truth"])
def test_a_perfect_detector_scores_all(scans, linker):
    essential, fundamental = judged("scannet1500", scans, linker=linker)
    assert essential.name == "scannet1500 essential"
    assert fundamental.name == "scannet1500 fundamental"
    assert essential.items[0] == f"{SCENE}/color/15.jpg {SCENE}/color/585.jpg"
    for table in (essential, fundamental):
        # Coarse depth lets the truth link a point to its neighbour here and there.
        assert worst_auc(table) > 95, table.name


def test_published_figures_stand_beside_ours(scans):
    judged("scannet1500", scans, linker="NN-mutual", limit=1)
    (path,) = (scans / "out").glob("scannet1500/*.json")
    lines = tables([read_result(path)])
    assert any(line.startswith("| DaD, paper (RoMa) | 512 | 25.7 |") for line in lines)
    assert any(line.startswith("| DaD, paper (RoMa) | 512 | 18.3 |") for line in lines)


def test_the_intrinsics_are_those_of_the_full_frame():
    """Figures of scene0707_00: of the public file, and of SuperGlue's list of pairs."""
    K = np.array([[575.66419753, 0, 320.54074074], [0, 578.05289256, 240.37933884], [0, 0, 1]])
    expected = np.array([1165.72, 1165.74, 649.095 + 0.5, 484.765 + 0.5])
    assert camera(K, (1296, 968)).params == pytest.approx(expected, abs=1e-5)
    assert camera(K, (648, 484)).params == pytest.approx(expected / 2, abs=1e-5)


def test_frames_of_another_size_are_told(scans, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        dataset = load(Source(scans, tmp_path))
    assert f"frames of {SIZE[0]}×{SIZE[1]} pixels, not ScanNet's 1296×968" in caplog.text
    assert len(dataset.names) == 4
    (task,) = load(Source(scans, tmp_path, limit=2)).tasks
    assert len(task.pairs) == 2


def test_scenes_may_lie_in_the_folder_itself(scans, tmp_path):
    (scans / "scans_test" / SCENE).rename(scans / SCENE)
    (scans / "scans_test").rmdir()
    dataset = load(Source(scans, tmp_path))
    assert dataset.image_dir == scans
    assert len(dataset.names) == 4


@pytest.mark.parametrize(
    "missing", ["test.npz", "intrinsics.npz", f"scans_test/{SCENE}/color/105.jpg"]
)
def test_a_missing_file_is_named(scans, tmp_path, missing):
    (scans / missing).unlink()
    with pytest.raises(DataError, match=r"1 of .* not under") as error:
        load(Source(scans, tmp_path))
    assert missing.removeprefix("scans_test/") in str(error.value)
    assert "datasets/scannet1500/README.md" in str(error.value)


def test_missing_depth_is_named_where_the_truth_needs_it(scans):
    missing = scans / "scans_test" / SCENE / "depth" / "585.png"
    missing.unlink()
    with pytest.raises(NoTruthError, match="no such depth map") as error:
        judged("scannet1500", scans, linker="truth")
    assert str(missing) in str(error.value)


@pytest.mark.parametrize(
    ("file", "arrays", "message"),
    [
        ("test.npz", {"name": np.zeros((1, 4), int)}, "lacks rel_pose"),
        ("test.npz", {"name": np.zeros((2, 4), int), "rel_pose": np.zeros((1, 12))}, "has 2 pairs"),
        ("test.npz", {"name": np.zeros(3, int), "rel_pose": np.zeros(12)}, "not the list of pairs"),
        ("intrinsics.npz", {"scene0001_00": np.eye(3)}, f"lacks {SCENE}"),
        ("intrinsics.npz", {SCENE: np.eye(2)}, "not the intrinsics"),
    ],
)
def test_a_wrong_file_is_named(scans, tmp_path, file, arrays, message):
    np.savez(scans / file, **arrays)
    with pytest.raises(DataError, match=message) as error:
        load(Source(scans, tmp_path))
    assert str(scans / file) in str(error.value)
