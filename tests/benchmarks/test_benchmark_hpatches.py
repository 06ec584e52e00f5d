"""HPatches with all its sequences, of tiny photos, through the whole runner."""

import os
import shutil

import numpy as np
import pytest
from PIL import Image

from dad_sfm.benchmarks import runner
from dad_sfm.benchmarks.compare import tables
from dad_sfm.benchmarks.datasets.base import DataError, Source
from dad_sfm.benchmarks.datasets.hpatches import (
    ILLUMINATION,
    LARGE,
    RELEASE,
    VIEWPOINT,
    load,
    load_108,
)
from dad_sfm.benchmarks.results import read_result
from dad_sfm.core.types import Features
from dad_sfm.geometry.homography import apply, random_view
from dad_sfm.io.store import FeatureWriter

SIZE = (64, 48)
MOVED = (72, 54)  # the second photo of a viewpoint sequence may have another size
LIMIT = 6  # pairs of either kind


def homographies(names):
    """(sequence, number) -> 3×3, pixel-index frames."""
    rng = np.random.default_rng(0)
    px_from_norm = np.array(
        [[SIZE[0] / 2, 0, SIZE[0] / 2], [0, SIZE[1] / 2, SIZE[1] / 2], [0, 0, 1]]
    )
    found = {}
    for name in names:
        for i in range(2, 7):
            view = random_view(rng, rotation_deg=10, log_scale=(-0.1, 0.1), perspective=0.1)
            H = px_from_norm @ view @ np.linalg.inv(px_from_norm)
            found[name, i] = H / H[2, 2] if name[0] == "v" else np.eye(3)
    return found


def write_sequences(root, truth):
    photos = [Image.new("RGB", size, (90, 120, 60)) for size in (SIZE, MOVED)]
    for (name, i), H in truth.items():
        folder = root / RELEASE / name
        folder.mkdir(parents=True, exist_ok=True)
        np.savetxt(folder / f"H_1_{i}", H)
        photos[name[0] == "v"].save(folder / f"{i}.ppm")
        photos[0].save(folder / "1.ppm")


def write_features(path, dataset, truth):
    """Points of the first photo of each sequence, and where they truly are in the others."""
    rng = np.random.default_rng(0)
    x, y = np.meshgrid(np.arange(4, 60, 7), np.arange(4, 44, 7))
    points = np.stack([x.ravel(), y.ravel()], axis=-1) + rng.uniform(-1, 1, (x.size, 2))
    with FeatureWriter(path, {"made_by": "tests"}) as writer:
        for name in dataset.names:
            sequence, _, photo = name.partition("/")
            number = int(photo.removesuffix(".ppm"))
            moved = points if number == 1 else apply(truth[sequence, number], points)
            size = MOVED if number > 1 and name[0] == "v" else SIZE
            moved = moved[((moved > -0.5) & (moved < np.array(size) - 0.5)).all(axis=1)]
            scores = np.linspace(1, 0.5, len(moved), dtype=np.float32)
            writer.write(name, Features(moved.astype(np.float32), scores, size))
    return path


@pytest.fixture(scope="module")
def truth():
    return homographies([*VIEWPOINT, *ILLUMINATION])


@pytest.fixture(scope="module")
def whole(truth, tmp_path_factory):
    """Not to be changed by a test."""
    root = tmp_path_factory.mktemp("hpatches")
    write_sequences(root, truth)
    return root


@pytest.fixture(scope="module")
def result(whole, truth, tmp_path_factory):
    """A perfect detector, linked by the truth."""
    out = tmp_path_factory.mktemp("out")
    path = write_features(out / "f.h5", load(Source(whole, out, LIMIT)), truth)
    made = runner.main(
        "hpatches", features=path, data=whole, linker="truth", budgets=[512], limit=LIMIT, out=out
    )
    return read_result(made)


def test_a_perfect_detector_scores_all(result):
    tables = {table.name: table for table in result.tables}
    assert list(tables)[::2] == ["viewpoint", "illumination"]
    assert tables["viewpoint"].items[0] == "v_abstract/1.ppm v_abstract/2.ppm"
    for name in ("viewpoint", "illumination"):
        assert len(tables[name].items) == LIMIT
        held = [tables[name], tables[f"{name} keypoints"]]
        figures = {m.name: table.value(m, 512) for table in held for m in table.measures}
        assert min(figures[f"AUC@{t}px"] for t in (3, 5, 10)) > 99
        assert figures["accuracy@1px"] == pytest.approx(100)
        assert figures["usual@1px"] == pytest.approx(100)
        assert figures["localisation"] == pytest.approx(0, abs=1e-3)


def test_published_figures_stand_beside_ours(result):
    lines = tables([result])
    rows = [line for line in lines if line.startswith("| DaD, paper (RoMa) | 512 | 58.2 |")]
    assert len(rows) == 1


def test_all_sequences_or_those_without_large_photos(whole, tmp_path):
    assert (len(VIEWPOINT), len(ILLUMINATION)) == (59, 57)
    pairs = [len(task.pairs) for task in load(Source(whole, tmp_path)).tasks]
    assert pairs == [59 * 5, 57 * 5]
    fewer = load_108(Source(whole, tmp_path))
    assert [len(task.pairs) for task in fewer.tasks] == [56 * 5, 52 * 5]
    assert not {name.split("/")[0] for name in fewer.names} & LARGE


def test_the_release_itself_may_be_given(whole, tmp_path):
    assert load(Source(whole / RELEASE, tmp_path)).image_dir == whole / RELEASE


@pytest.mark.parametrize("missing", ["v_wall/4.ppm", "i_zion/H_1_6"])
def test_a_missing_file_is_named(whole, tmp_path, missing):
    copy = copied(whole, tmp_path)
    (copy / missing).unlink()
    with pytest.raises(DataError, match="1 of 1276 files are not under") as error:
        load(Source(tmp_path, tmp_path))
    assert missing in str(error.value)
    assert "datasets/hpatches/README.md" in str(error.value)


def copied(root, tmp_path):
    """A copy from which files may be taken."""
    return shutil.copytree(root / RELEASE, tmp_path / RELEASE, copy_function=os.link)


def test_missing_sequences_are_counted(tmp_path):
    (tmp_path / RELEASE).mkdir()
    with pytest.raises(DataError, match=r"v_abstract/1\.ppm, .* and 1271 more"):
        load(Source(tmp_path, tmp_path))


@pytest.mark.parametrize(("text", "message"), [("1 0\n0 1\n", "but 2×2"), ("1 0 x\n", "not a 3×3")])
def test_a_damaged_homography_is_named(whole, tmp_path, text, message):
    copy = copied(whole, tmp_path)
    (copy / "v_wall" / "H_1_3").unlink()
    (copy / "v_wall" / "H_1_3").write_text(text)
    with pytest.raises(DataError, match=message) as error:
        load(Source(tmp_path, tmp_path))
    assert str(copy / "v_wall" / "H_1_3") in str(error.value)
