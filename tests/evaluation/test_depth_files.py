import h5py
import numpy as np
import pytest
from PIL import Image

from dad_sfm.evaluation.depth_files import read_depth
from dad_sfm.evaluation.linking import NoTruthError

DEPTH = np.array([[1.5, 2.25, 0], [4, 5, 6]], np.float32)
SIZE = (3, 2)


def as_npy(path):
    np.save(path, DEPTH)


def as_h5(path):
    with h5py.File(path, "w") as file:
        file["depth"] = DEPTH


def as_png(path):
    Image.fromarray((DEPTH * 1000).astype(np.uint16)).save(path)


FORMATS = pytest.mark.parametrize(
    ("name", "write"), [("d.npy", as_npy), ("d.h5", as_h5), ("d.png", as_png)]
)


@FORMATS
def test_all_formats_hold_the_same(tmp_path, name, write):
    write(tmp_path / name)
    assert read_depth(tmp_path / name, SIZE) == pytest.approx(DEPTH)


@FORMATS
def test_what_is_damaged_or_missing_is_named(tmp_path, name, write):
    path = tmp_path / name
    with pytest.raises(NoTruthError, match="no such depth map") as error:
        read_depth(path, SIZE)
    assert str(path) in str(error.value)
    write(path)
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(NoTruthError, match="not a depth map") as error:
        read_depth(path, SIZE)
    assert str(path) in str(error.value)


def test_a_smaller_map_gives_each_pixel_the_nearest(tmp_path):
    as_npy(tmp_path / "d.npy")
    found = read_depth(tmp_path / "d.npy", (6, 4))
    assert found == pytest.approx(DEPTH.repeat(2, axis=0).repeat(2, axis=1))


def test_colour_is_no_depth(tmp_path):
    Image.new("RGB", SIZE).save(tmp_path / "d.png")
    with pytest.raises(NoTruthError, match="not a depth map"):
        read_depth(tmp_path / "d.png", SIZE)
