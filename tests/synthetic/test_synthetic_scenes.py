"""Random scenes, and the courtyard as a folder."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dad_sfm.colmap.model import read_model
from dad_sfm.synthetic import (
    another_day,
    courtyard_cameras,
    export,
    load_view,
    random_cameras,
    random_scene,
    render,
    render_courtyard,
    render_drive,
    warp_points,
)
from dad_sfm.synthetic.build import Builder, frame
from dad_sfm.synthetic.courtyard import courtyard_drive
from dad_sfm.synthetic.facade import facade
from dad_sfm.synthetic.random_cameras import seen_share

SMALL = {"size": (160, 107), "count": 3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return render_courtyard(tmp_path_factory.mktemp("scene") / "courtyard", **SMALL)


def _contents(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.mark.slow
def test_the_courtyard_is_complete(folder):
    expected = {f"images/{i:04d}.jpg" for i in range(3)} | {f"depth/{i:04d}.npy" for i in range(3)}
    expected |= {"gt/cameras.txt", "gt/images.txt", "gt/points3D.txt", "scene.json"}
    assert set(_contents(folder)) == expected
    for i in range(3):
        with Image.open(folder / f"images/{i:04d}.jpg") as image:
            assert image.size == (160, 107)
            pixels = np.asarray(image)
        assert pixels.std() > 30  # a picture of something
        depth = np.load(folder / f"depth/{i:04d}.npy")
        assert depth.shape == (107, 160)
        assert depth.dtype == np.float32
        assert 1 < np.median(depth) < 20
        assert (depth > 0).mean() > 0.8


def test_pycolmap_reads_the_poses_that_were_drawn(folder):
    model = read_model(folder / "gt")
    cameras = courtyard_cameras(**SMALL)
    assert list(model.images) == ["0000.jpg", "0001.jpg", "0002.jpg"]
    for camera, (name, image) in zip(cameras, model.images.items(), strict=True):
        np.testing.assert_allclose(image.cam_from_world, camera.cam_from_world, atol=1e-9)
        np.testing.assert_allclose(image.center, camera.center, atol=1e-9)
        assert model.camera_of(name).params == pytest.approx(camera.to_colmap().params)


def test_views_read_back_correspond(folder):
    a = load_view(folder, "0000.jpg")
    assert a.rgb.shape == (107, 160, 3)
    points = np.random.default_rng(0).uniform((0, 0), (159, 106), (500, 2))
    same, valid = warp_points(a, a, points)
    np.testing.assert_allclose(same[valid], points[valid], atol=1e-6)
    assert valid.mean() > 0.8


def test_neighbouring_views_of_the_full_walk_overlap():
    cameras = courtyard_cameras()
    assert len(cameras) >= 12
    assert all(c.size == (1024, 683) for c in cameras)
    axes = np.stack([c.cam_from_world[2, :3] for c in cameras])
    turns = np.degrees(np.arccos((axes[1:] * axes[:-1]).sum(axis=1)))
    assert turns.max() < 25
    assert np.degrees(np.arccos(axes[0] @ axes[-1])) > 90


@pytest.mark.slow
def test_equal_seeds_give_equal_bytes(folder, tmp_path):
    assert _contents(render_courtyard(tmp_path / "again", **SMALL)) == _contents(folder)
    other = _contents(render_courtyard(tmp_path / "other", seed=1, **SMALL))
    assert other["images/0000.jpg"] != _contents(folder)["images/0000.jpg"]
    assert other["gt/images.txt"] == _contents(folder)["gt/images.txt"]


def test_what_is_there_is_not_drawn_again(folder, monkeypatch):
    def never(*_: object, **__: object) -> None:
        raise AssertionError("drawn again")

    monkeypatch.setattr(export, "courtyard", never)
    assert render_courtyard(folder, **SMALL) == folder
    with pytest.raises(AssertionError, match="drawn again"):
        render_courtyard(folder, **{**SMALL, "seed": 3})


@pytest.fixture
def quick(monkeypatch, folder) -> list[int]:
    """Drawing replaced by copying, with a record of it: what is tested is the folder."""
    drawn: list[int] = []

    def copy(draw: object, scene: object, index: int, target: Path) -> None:
        drawn.append(index)
        for name in (f"images/{index:04d}.jpg", f"depth/{index:04d}.npy"):
            (target / name).write_bytes((folder / name).read_bytes())

    monkeypatch.setattr(export, "courtyard", lambda *_, **__: None)
    monkeypatch.setattr(export, "_draw", copy)
    return drawn


def test_an_interrupted_drawing_is_done_again(tmp_path, quick, monkeypatch):
    copy = export._draw

    def fail(*args: object) -> None:
        if args[2] == 2:
            raise KeyboardInterrupt
        copy(*args)

    monkeypatch.setattr(export, "_draw", fail)
    with pytest.raises(KeyboardInterrupt):
        render_courtyard(tmp_path, **SMALL)
    assert not (tmp_path / "images").exists()
    assert not (tmp_path / "scene.json").exists()
    monkeypatch.setattr(export, "_draw", copy)
    quick.clear()
    render_courtyard(tmp_path, **SMALL)
    assert sorted(quick) == [0, 1, 2]
    assert not (tmp_path / ".partial").exists()
    render_courtyard(tmp_path, **SMALL)
    assert len(quick) == 3


def test_a_folder_that_is_being_replaced_is_not_the_old_one(tmp_path, quick, monkeypatch):
    render_courtyard(tmp_path, **SMALL)
    replace = export.os.replace

    def fail(source: Path, target: Path) -> None:
        if target.name == "scene.json":
            raise OSError("disk full")
        replace(source, target)

    monkeypatch.setattr(export.os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        render_courtyard(tmp_path, seed=1, **SMALL)
    monkeypatch.setattr(export.os, "replace", replace)
    quick.clear()
    render_courtyard(tmp_path, **SMALL)
    assert len(quick) == 3


@pytest.mark.parametrize("damage", ["marker", "cut marker", "image", "version"])
def test_a_damaged_folder_is_drawn_again(tmp_path, quick, damage):
    (tmp_path / "README.md").write_text("kept")
    render_courtyard(tmp_path, **SMALL)
    marker = tmp_path / "scene.json"
    if damage == "marker":
        marker.unlink()
    elif damage == "cut marker":
        marker.write_text(marker.read_text()[:40])
    elif damage == "image":
        (tmp_path / "images/0001.jpg").unlink()
    else:
        found = json.loads(marker.read_text())
        marker.write_text(json.dumps({**found, "version": found["version"] - 1}))
    before = len(quick)
    render_courtyard(tmp_path, **SMALL)
    assert len(quick) == before + 3
    assert (tmp_path / "images/0001.jpg").is_file()
    assert (tmp_path / "README.md").read_text() == "kept"


def _photos() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (h, w, 3), np.uint8) for h, w in ((60, 90), (300, 40), (200, 310))]


@pytest.mark.slow
@pytest.mark.parametrize("textures", [None, _photos()], ids=["painted", "photos"])
def test_random_scenes_follow_their_seed(textures):
    def draw(seed: int) -> list[np.ndarray]:
        scene = random_scene(seed, textures)
        views = [render(scene, c) for c in random_cameras(scene, seed, 2, size=(96, 72))]
        return [a for v in views for a in (v.rgb, v.depth)]

    first, again, other = draw(4), draw(4), draw(5)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (first[0] != other[0]).mean() > 0.3
    assert np.isfinite(first[1]).all()


@pytest.mark.slow
def test_fronts_and_trees_are_relief():
    """They multiply the patches of a scene, not its size."""
    for seed in range(3):
        plain, rich = (random_scene(seed, _photos(), relief=r).surfaces for r in (False, True))
        assert len(rich) > 2 * len(plain)
        assert np.abs(rich.corners()).max() < 2 * np.abs(plain.corners()).max()


def test_bays_of_a_front_are_the_same():
    """Moved by the distance of two bays, what stands before the wall meets itself."""
    builder = Builder(np.random.default_rng(1))
    stone = builder.material(np.full((64, 64, 3), 128, np.uint8), 32.0)
    facade(builder, stone, [stone], frame(0, 0), width=6.0, height=1.0)
    surfaces = builder.surfaces()
    middles = surfaces.corners().mean(axis=1)
    # Wall and ledges go through; their ends are no bay's.
    small = (np.linalg.norm(surfaces.u, axis=-1) < 1.0) & (np.abs(middles[:, 0]) < 2.9)
    texels = surfaces.texel_from_st[small].reshape(small.sum(), -1)
    kinds, bays = np.unique(
        np.column_stack([texels, middles[small][:, 1:]]).round(6), axis=0, return_counts=True
    )
    assert (bays >= 2).all()
    assert len(kinds) >= 6


@pytest.mark.slow
def test_another_day_has_other_light_and_the_same_things():
    scene = random_scene(1, _photos())
    other = another_day(scene, 5)
    (camera,) = random_cameras(scene, 1, 1, size=(96, 72))
    here, there = render(scene, camera), render(other, camera)
    np.testing.assert_array_equal(here.depth, there.depth)
    np.testing.assert_array_equal(another_day(scene, 5).light.grid, other.light.grid)
    lit = here.depth > 0
    assert np.abs(here.rgb.astype(int) - there.rgb)[lit].mean() > 5


@pytest.mark.slow
def test_random_cameras_look_at_the_same_things():
    shares = []
    for seed in range(6):
        scene = random_scene(seed, _photos())
        first, *others = random_cameras(scene, seed, 3, size=(96, 72), overlap=0.3)
        shares += [seen_share(scene, first, camera) for camera in others]
    assert np.mean(np.array(shares) >= 0.3) > 0.8


def test_textures_that_are_not_images_are_refused():
    with pytest.raises(ValueError, match="uint8"):
        random_scene(0, [np.zeros((8, 8, 3), np.float32)])
    with pytest.raises(ValueError, match="at least one"):
        random_scene(0, [])


def test_the_drive_is_drawn_in_order_and_moves_ahead(tmp_path, quick, folder):
    render_drive(tmp_path, size=SMALL["size"], count=3)
    assert sorted(quick) == [0, 1, 2]
    model = read_model(tmp_path / "gt")
    cameras = courtyard_drive(SMALL["size"], 3)
    for name, camera in zip(sorted(model.images), cameras, strict=True):
        np.testing.assert_allclose(model.images[name].center, camera.center, atol=1e-9)
    steps = np.diff([camera.center for camera in courtyard_drive(count=40)], axis=0)
    assert 11 < np.linalg.norm(steps, axis=1).sum() < 13
    ahead = [camera.cam_from_world[2, :3] for camera in courtyard_drive(count=40)]
    assert ((steps * ahead[:-1]).sum(axis=1) > 0).all()
