import pytest
from PIL import Image

from dad_sfm.colmap.cameras import CameraError, group_by_camera
from dad_sfm.io.image_header import Header, read_header
from dad_sfm.io.images import ImageError

PLAIN = Header((640, 480), None)
PHONE = Header((640, 480), ("Maker", "Phone", 26.0))
ZOOMED = Header((640, 480), ("Maker", "Phone", 52.0))
PORTRAIT = Header((480, 640), ("Maker", "Phone", 26.0))


@pytest.mark.parametrize(
    ("headers", "groups"),
    [
        ({"b.jpg": PLAIN, "a.jpg": PLAIN}, [["a.jpg", "b.jpg"]]),
        ({"x/a": PLAIN, "y/b": PLAIN}, [["x/a"], ["y/b"]]),
        ({"a": PHONE, "b": ZOOMED, "c": PHONE, "d": PORTRAIT}, [["a", "c"], ["b"], ["d"]]),
        # Photos from everywhere: two of one size by chance are not one camera.
        ({"a": PLAIN, "b": PLAIN, "c": Header((800, 600), None)}, [["a"], ["b"], ["c"]]),
        ({"a": PLAIN, "b": PLAIN, "c": PHONE, "d": PHONE}, [["a"], ["b"], ["c", "d"]]),
    ],
)
def test_auto_shares_what_looks_like_one_camera(headers, groups):
    assert group_by_camera(headers, "auto") == groups


def test_the_other_modes_do_as_told():
    headers = {"x/a": PHONE, "x/b": ZOOMED, "y/c": PLAIN}
    assert group_by_camera(headers, "single") == [["x/a", "x/b", "y/c"]]
    assert group_by_camera(headers, "per_folder") == [["x/a", "x/b"], ["y/c"]]
    assert group_by_camera(headers, "per_image") == [["x/a"], ["x/b"], ["y/c"]]


@pytest.mark.parametrize("mode", ["single", "per_folder"])
def test_one_camera_needs_one_size(mode):
    with pytest.raises(CameraError, match=r"a has 640×480 pixels and b 480×640.*per_image"):
        group_by_camera({"a": PHONE, "b": PORTRAIT}, mode)


def test_unknown_modes_are_listed():
    with pytest.raises(CameraError, match="'both' is not one of auto, single"):
        group_by_camera({}, "both")  # type: ignore[arg-type]


def test_headers_come_from_exif(tmp_path):
    image = Image.new("L", (64, 48))
    exif = Image.Exif()
    exif[271], exif[272] = "Maker", "Phone"
    exif.get_ifd(0x8769)[37386] = 4.25
    image.save(tmp_path / "a.jpg", exif=exif)
    assert read_header(tmp_path / "a.jpg") == Header((64, 48), ("Maker", "Phone", 4.25))
    exif.get_ifd(0x8769)[41989] = 26  # the 35 mm equivalent wins, as in COLMAP
    image.save(tmp_path / "b.jpg", exif=exif)
    assert read_header(tmp_path / "b.jpg").exif == ("Maker", "Phone", 26.0)
    image.save(tmp_path / "c.png")
    assert read_header(tmp_path / "c.png") == Header((64, 48), None)
    (tmp_path / "d.jpg").write_text("no image")
    with pytest.raises(ImageError, match=r"d\.jpg"):
        read_header(tmp_path / "d.jpg")
