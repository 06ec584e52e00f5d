import numpy as np
import pycolmap
import pytest
from PIL import Image
from projected import make_scene

from dad_sfm import database, reconstruction

NAMES = ["a.png", "b.png", "c.png", "d.png"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """Photos of one colour each; the left half of the last is white."""
    scene = make_scene(tmp_path_factory.mktemp("scene"), [NAMES])
    for k, name in enumerate(NAMES):
        path = scene.image_dir / name
        with Image.open(path) as photo:
            size = photo.size
        pixels = np.full((size[1], size[0], 3), (40 * k, 100, 7), np.uint8)
        if k == 3:
            pixels[:, : size[0] // 2] = 255
        Image.fromarray(pixels).save(path)
    return scene


def model(scene, out, **options):
    path = scene.root / "database.db"
    if not path.exists():
        database.main(path, **scene.inputs)
    folders = reconstruction.main(out, path, scene.image_dir, options=options, num_threads=1)
    return pycolmap.Reconstruction(str(folders[0]))


def test_a_point_has_the_mean_colour_of_what_sees_it(scene, tmp_path):
    found = model(scene, tmp_path / "sparse")
    seen_left = 0
    for point in found.points3D.values():
        colours = []
        for element in point.track.elements:
            image = found.images[element.image_id]
            x = image.points2D[element.point2D_idx].xy[0] - 0.5
            left = image.name == "d.png" and round(x) < image.camera.width // 2
            seen_left += left
            colours.append((255,) * 3 if left else (40 * NAMES.index(image.name), 100, 7))
        assert np.abs(point.color - np.mean(colours, axis=0)).max() <= 0.5
    assert 10 < seen_left < len(found.points3D)


def test_photos_that_cannot_be_read_give_no_colour(scene, tmp_path):
    for name in NAMES[1:]:
        (scene.image_dir / name).write_bytes(b"no photo")
    found = model(scene, tmp_path / "sparse")
    seen = {tuple(point.color.tolist()) for point in found.points3D.values()}
    assert seen <= {(0, 100, 7), (0, 0, 0)}
    assert (0, 100, 7) in seen


def test_colours_can_be_left_out(scene, tmp_path):
    found = model(scene, tmp_path / "sparse", extract_colors=False)
    assert not any(point.color.any() for point in found.points3D.values())
