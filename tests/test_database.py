import shutil

import numpy as np
import pycolmap
import pytest
from PIL import Image
from projected import SIZE, features, make_scene

from dad_sfm import database
from dad_sfm.colmap.cameras import CameraError
from dad_sfm.colmap.inputs import InputError
from dad_sfm.core.config import ConfigError
from dad_sfm.core.types import Matches
from dad_sfm.io.pairs_file import write_pairs
from dad_sfm.io.photo_identity import identify
from dad_sfm.io.store import FeatureWriter, MatchWriter, StoreError

MADE = {"made_by": "tests"}  # as `projected` says
NAMES = ["süd/a b.png", "süd/c.png", "d e/f.png", "g.png"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return make_scene(tmp_path_factory.mktemp("scene"), [NAMES])


def build(scene, folder, **options):
    return database.main(folder / "database.db", **{**scene.inputs, **options})


def read(path):
    """Everything in a database, by image name."""
    with pycolmap.Database.open(str(path)) as db:
        images = {i.name: i for i in db.read_all_images()}
        cameras = {c.camera_id: c for c in db.read_all_cameras()}
        names = {i.image_id: n for n, i in images.items()}
        return {
            "keypoints": {n: np.asarray(db.read_keypoints(i.image_id)) for n, i in images.items()},
            "cameras": {n: cameras[i.camera_id] for n, i in images.items()},
            "pairs": {
                tuple(names[i] for i in pycolmap.pair_id_to_image_pair(p)): g.inlier_matches
                for p, g in zip(*db.read_two_view_geometries(), strict=True)
            },
            "matches": {
                tuple(names[i] for i in pycolmap.pair_id_to_image_pair(p)): np.asarray(m)
                for p, m in zip(*db.read_all_matches(), strict=True)
            },
        }


def test_names_pixels_and_matches_arrive(scene, tmp_path):
    found = read(build(scene, tmp_path, camera_mode="single"))
    assert set(found["keypoints"]) == set(NAMES)
    for name, exact in scene.points_px.items():
        stored = found["keypoints"][name]
        assert stored.dtype == np.float32
        # COLMAP's frame: the centre of the top-left pixel is (0.5, 0.5).
        assert np.abs(stored[:, :2] - (exact + 0.5)).max() < 1e-3
    assert len(found["matches"]) == 6
    for (a, b), inliers in found["pairs"].items():
        assert len(inliers) > 100
        assert len(inliers) == len(found["matches"][a, b])  # no outliers in these matches
        stored = {tuple(m) for m in found["matches"][a, b].tolist()}
        assert {tuple(m) for m in np.asarray(inliers).tolist()} <= stored
    assert not list(tmp_path.glob("*partial*"))
    assert not list(tmp_path.glob("colmap.log*"))


def test_matches_join_the_same_point(scene, tmp_path):
    """Inliers, read back from the database, obey the true epipolar geometry."""
    found = read(build(scene, tmp_path))
    fx, fy, cx, cy = scene.gt.cameras[1].params
    K = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    for (a, b), inliers in found["pairs"].items():
        points = [found["keypoints"][n][np.asarray(inliers)[:, i]] for i, n in enumerate((a, b))]
        rays = [np.column_stack([p[:, :2], np.ones(len(p))]) @ np.linalg.inv(K).T for p in points]
        pa, pb = scene.gt.images[a], scene.gt.images[b]
        R = pb.rotation @ pa.rotation.T
        t = pb.rotation @ (pa.center - pb.center)
        E = np.cross(np.eye(3), t) @ R
        assert np.abs(np.einsum("ni,ij,nj->n", rays[1], E, rays[0])).max() < 1e-4


def test_verification_drops_outliers_and_repeats(scene, tmp_path):
    rng = np.random.default_rng(0)
    pair = sorted(NAMES)[:2]
    n0, n1 = (len(scene.points_px[n]) for n in pair)
    wrong, pairs = tmp_path / "matches.h5", tmp_path / "pairs.txt"
    with MatchWriter(wrong, {}) as writer:
        writer.write(*pair, Matches(rng.integers(0, n1, n0).astype(np.int32), np.ones(n0)))
    write_pairs(pairs, [pair])
    random = read(build(scene, tmp_path, matches=wrong, pairs=pairs))
    assert len(random["matches"]) == 1
    inliers = [len(i) for i in random["pairs"].values()]
    assert max(inliers, default=0) < 0.2 * n0

    one = read(build(scene, tmp_path, overwrite=True, num_threads=1))
    two = read(build(scene, tmp_path, overwrite=True, num_threads=2))
    for pair in one["pairs"]:
        np.testing.assert_array_equal(one["pairs"][pair], two["pairs"][pair])


@pytest.mark.parametrize(
    ("mode", "cameras"), [("auto", 3), ("single", 1), ("per_folder", 3), ("per_image", 4)]
)
def test_camera_modes(scene, tmp_path, mode, cameras):
    found = read(build(scene, tmp_path, camera_mode=mode))
    assert len({c.camera_id for c in found["cameras"].values()}) == cameras
    camera = found["cameras"]["g.png"]
    assert (camera.model.name, camera.width, camera.height) == ("SIMPLE_RADIAL", *SIZE)
    assert camera.params[0] == pytest.approx(1.2 * max(SIZE))
    assert not camera.has_prior_focal_length


def test_known_intrinsics(scene, tmp_path):
    params = (900.0, 901.0, 400.0, 300.0)
    found = read(build(scene, tmp_path, camera_model="PINHOLE", camera_params=params))
    assert tuple(found["cameras"]["g.png"].params) == params
    assert found["cameras"]["g.png"].has_prior_focal_length
    with pytest.raises(CameraError, match=r"PINHOLE has the parameters fx, fy, cx, cy"):
        build(scene, tmp_path, overwrite=True, camera_model="PINHOLE", camera_params=params[:3])
    with pytest.raises(CameraError, match=r"'PINHOL'.*PINHOLE"):
        build(scene, tmp_path, overwrite=True, camera_model="PINHOL")


def test_intrinsics_of_a_list(scene, tmp_path):
    """hloc's list of queries: images of equal intrinsics share a camera, the others have theirs."""
    listed = tmp_path / "queries_with_intrinsics.txt"
    listed.write_text(
        f"# name and camera\nsüd/a b.png PINHOLE {SIZE[0]} {SIZE[1]} 900 901 400 300\n"
        f"g.png PINHOLE {SIZE[0]} {SIZE[1]} 900.0 901 400 300\n"
        f"süd/c.png SIMPLE_PINHOLE {SIZE[0]} {SIZE[1]} 880 400 300\nd e/f.png\n"
    )
    found = read(build(scene, tmp_path, image_list=listed))["cameras"]
    assert found["süd/a b.png"].camera_id == found["g.png"].camera_id
    assert tuple(found["g.png"].params) == (900, 901, 400, 300)
    assert found["g.png"].has_prior_focal_length
    assert tuple(found["süd/c.png"].params) == (880, 400, 300)
    assert found["d e/f.png"].model.name == "SIMPLE_RADIAL"
    listed.write_text("g.png PINHOLE 64 48 900 901 32 24\n")
    with pytest.raises(CameraError, match=r"g\.png has 800×600 pixels, but .* 64×48"):
        build(scene, tmp_path, image_list=listed, overwrite=True)


def test_focal_length_from_exif(tmp_path):
    scene = make_scene(tmp_path, [["a.jpg", "b.jpg"]])
    exif = Image.Exif()
    exif[271], exif[272] = "Maker", "Phone"
    exif.get_ifd(0x8769)[41989] = 35
    Image.new("L", SIZE).save(scene.image_dir / "a.jpg", exif=exif)
    found = read(build(scene, tmp_path))
    assert found["cameras"]["a.jpg"].has_prior_focal_length
    assert found["cameras"]["a.jpg"].params[0] == pytest.approx(35 / 43.27 * 1000, rel=1e-3)
    assert not found["cameras"]["b.jpg"].has_prior_focal_length


@pytest.mark.parametrize("suffix", ["webp", "png"])
def test_formats_that_colmap_may_not_read(tmp_path, suffix):
    """Cameras and images are all there, in one frame and rig each, as COLMAP writes them."""
    names = [f"{n}.{suffix}" for n in "abcde"]
    scene = make_scene(tmp_path, [names])
    exif = Image.Exif()
    exif[271], exif[272] = "Maker", "Phone"
    exif.get_ifd(0x8769)[41989] = 35
    for name in names[:2]:
        Image.new("L", SIZE).save(scene.image_dir / name, exif=exif)
    found = read(build(scene, tmp_path))
    assert set(found["keypoints"]) == set(names)
    cameras = {n: c.camera_id for n, c in found["cameras"].items()}
    assert cameras[names[0]] == cameras[names[1]]
    assert len({cameras[n] for n in names[1:]}) == 4  # without EXIF among others with: each alone
    assert len(found["pairs"]) == 10
    with pycolmap.Database.open(str(tmp_path / "database.db")) as db:
        assert (db.num_frames(), db.num_rigs(), db.num_cameras()) == (5, 4, 4)


def test_positions_from_exif_are_priors(tmp_path):
    scene = make_scene(tmp_path, [["a.jpg", "b.jpg"]])
    exif = Image.Exif()
    gps = exif.get_ifd(0x8825)
    gps.update({1: "N", 2: (55.0, 42.0, 0.0), 3: "E", 4: (13.0, 12.0, 0.0), 5: b"\0", 6: 50.0})
    Image.new("L", SIZE).save(scene.image_dir / "a.jpg", exif=exif)
    with pycolmap.Database.open(str(build(scene, tmp_path))) as db:
        assert db.num_pose_priors() == 1


def test_none_and_40_000_keypoints(tmp_path):
    image_dir, rng = tmp_path / "images", np.random.default_rng(0)
    image_dir.mkdir()
    points = {
        "many.png": rng.uniform(0, SIZE, (40_000, 2)),
        "more.png": rng.uniform(0, SIZE, (40_000, 2)),
        "none.png": np.zeros((0, 2)),
    }
    with FeatureWriter(tmp_path / "features.h5", {}) as writer:
        for name, pixels in points.items():
            Image.new("L", SIZE).save(image_dir / name)
            writer.write(name, features(pixels))
    # The last keypoints are matched: indices past 32 767 must survive.
    matches0 = np.full(40_000, -1, np.int32)
    matches0[-500:] = np.arange(39_500, 40_000)
    with MatchWriter(tmp_path / "matches.h5", {}) as writer:
        writer.write("many.png", "more.png", Matches(matches0, (matches0 >= 0).astype("f4")))
        writer.write("many.png", "none.png", Matches(np.full(40_000, -1), np.zeros(40_000)))
    (tmp_path / "pairs.txt").write_text("many.png more.png\nmany.png none.png\n")
    found = read(
        database.main(
            tmp_path / "database.db",
            image_dir,
            tmp_path / "features.h5",
            tmp_path / "pairs.txt",
            tmp_path / "matches.h5",
        )
    )
    assert {n: len(k) for n, k in found["keypoints"].items()} == {
        "many.png": 40_000,
        "more.png": 40_000,
        "none.png": 0,
    }
    stored = found["matches"]["many.png", "more.png"]
    np.testing.assert_array_equal(stored, np.arange(39_500, 40_000)[:, None].repeat(2, axis=1))


def test_what_failed_before_is_left_out(scene, tmp_path, caplog):
    """An image or a pair that an earlier step recorded as failed does not end the run."""
    inputs = {"features": tmp_path / "features.h5", "matches": tmp_path / "matches.h5"}
    for key, path in inputs.items():
        shutil.copy(scene.inputs[key], path)
    with FeatureWriter(inputs["features"], {"made_by": "tests"}) as writer:
        writer.write_failures({"h.png": "cut off"})
    with MatchWriter(inputs["matches"], {"made_by": "tests"}) as writer:
        writer.remove("g.png", "süd/c.png")
        writer.write_failures({"g.png süd/c.png": "out of memory"})
    pairs = tmp_path / "pairs.txt"
    write_pairs(pairs, [("g.png", "h.png"), ("g.png", "süd/c.png"), ("g.png", "süd/a b.png")])
    found = read(build(scene, tmp_path, pairs=pairs, **inputs))
    assert {frozenset(p) for p in found["pairs"]} == {frozenset(["g.png", "süd/a b.png"])}
    assert "could not use them: h.png" in caplog.text
    assert "matching failed: g.png süd/c.png" in caplog.text


def test_files_that_disagree_are_listed(scene, tmp_path):
    pairs = tmp_path / "pairs.txt"
    write_pairs(pairs, [("g.png", "h.png"), ("g.png", "süd/c.png")])
    with pytest.raises(InputError, match=r"features\.h5 has no features of h\.png"):
        build(scene, tmp_path, pairs=pairs)
    empty = tmp_path / "empty.h5"
    MatchWriter(empty, {}).__exit__(None, None, None)
    with pytest.raises(InputError, match=r"empty\.h5 has no matches of 6 of 6 pairs"):
        build(scene, tmp_path, matches=empty, overwrite=True)
    with pytest.raises(InputError, match=r"are not under .*elsewhere: d e/f\.png, g\.png"):
        build(scene, tmp_path, image_dir=tmp_path / "elsewhere", overwrite=True)
    with pytest.raises(FileNotFoundError, match=r"nothing\.h5"):
        build(scene, tmp_path, features=tmp_path / "nothing.h5", overwrite=True)
    with pytest.raises(FileNotFoundError, match=r"nothing\.txt"):
        build(scene, tmp_path, pairs=tmp_path / "nothing.txt", overwrite=True)


def test_features_of_other_images_are_refused(scene, tmp_path):
    other = tmp_path / "features.h5"
    with FeatureWriter(other, {}) as writer:
        for name in NAMES:
            writer.write(name, features(scene.points_px[name][:50]))
    with pytest.raises(InputError, match=r"point past the 50 and 50 keypoints.*match_features"):
        build(scene, tmp_path, features=other)
    one = tmp_path / "matches.h5"
    shutil.copy(scene.inputs["matches"], one)
    with MatchWriter(one, MADE) as writer:
        writer.write("g.png", "süd/c.png", Matches(np.full(3, 9999, np.int32), np.ones(3)))
    assert len(read(build(scene, tmp_path, matches=one))["matches"]) == 5  # the others are used


def test_faults_of_one_image_cost_that_image(scene, tmp_path, caplog):
    """Features that do not fit a photo, a photo that is gone, one that is damaged."""
    photos, other = tmp_path / "images", tmp_path / "features.h5"
    shutil.copytree(scene.image_dir, photos)
    broken = scene.points_px["g.png"].copy()
    broken[3] = np.nan
    for name, made, reason in (
        ("g.png", features(broken), "keypoints that are not finite"),
        ("g.png", features(scene.points_px["g.png"], size=(400, 300)), "was 400×300 pixels"),
        ("g.png", features(scene.points_px["g.png"]), "the photo is gone"),
        ("d e/f.png", features(scene.points_px["d e/f.png"]), "not an image that can be read"),
    ):
        shutil.copy(scene.inputs["features"], other)
        with FeatureWriter(other, MADE) as writer:
            writer.write(name, made)
        if "gone" in reason:
            (photos / name).unlink()
        if "not an image" in reason:
            (photos / name).write_bytes(b"text")
            shutil.copy(scene.image_dir / "g.png", photos / "g.png")
        caplog.clear()
        found = read(build(scene, tmp_path, image_dir=photos, features=other, overwrite=True))
        assert set(found["keypoints"]) == set(NAMES) - {name}
        assert len(found["pairs"]) == 3
        assert f"left out {name}: " in caplog.text
        assert reason in caplog.text


def test_a_photo_that_was_replaced_is_not_used_with_its_old_features(tmp_path, caplog):
    scene = make_scene(tmp_path, [["a.png", "b.png", "c.png"]])
    with FeatureWriter(scene.inputs["features"], MADE) as writer:
        for name in ("a.png", "b.png", "c.png"):
            source = identify(scene.image_dir / name)
            writer.write(name, features(scene.points_px[name]), source=source)
    Image.new("RGB", SIZE, "red").save(scene.image_dir / "c.png")
    found = read(build(scene, tmp_path))
    assert set(found["keypoints"]) == {"a.png", "b.png"}
    assert "c.png is another photo" in caplog.text


def test_damaged_exif_costs_the_focal_length_only(tmp_path, caplog):
    scene = make_scene(tmp_path, [["a.jpg", "b.jpg"]])
    path = scene.image_dir / "a.jpg"
    Image.new("L", SIZE).save(path, dpi=(72, 72))
    block = b"Exif\0\0" + b"MM\0F\0\0\0\x08" + bytes(20)  # the fifth byte should be 0x2A
    data = path.read_bytes()
    app1 = b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block
    path.write_bytes(data[:20] + app1 + data[20:])
    found = read(build(scene, tmp_path))
    assert set(found["keypoints"]) == {"a.jpg", "b.jpg"}
    assert not found["cameras"]["a.jpg"].has_prior_focal_length
    assert "damaged EXIF" in caplog.text


def test_a_database_is_not_overwritten_by_accident(scene, tmp_path):
    build(scene, tmp_path)
    with pytest.raises(InputError, match="exists; overwrite"):
        build(scene, tmp_path)
    with pytest.raises(ConfigError, match="'max_error'"):
        build(scene, tmp_path, overwrite=True, verification={"max_error": 3})
    (tmp_path / "broken.h5").write_text("not HDF5")
    with pytest.raises(StoreError, match=r"broken\.h5"):
        build(scene, tmp_path, overwrite=True, features=tmp_path / "broken.h5")
    assert len(read(tmp_path / "database.db")["pairs"]) == 6  # the old one is still whole
