import pickle
from dataclasses import replace
from pathlib import Path
from shutil import copytree, rmtree

import numpy as np
import pytest
import torch
from megadepth_folder import DEPTHS, IMAGES, write_disk_index, write_scene

from dad_sfm.geometry.homography import apply
from dad_sfm.geometry.pixel_frames import norm_from_px_matrix, px_from_norm
from dad_sfm.synthetic import View, warp_points
from dad_sfm.train.data.depth_pairs import DepthSource
from dad_sfm.train.data.indexed_scene import MegaDepthError
from dad_sfm.train.data.megadepth_index import missing_files, read_index
from dad_sfm.train.data.megadepth_pairs import MegaDepthConf, MegaDepthPairs

CPU = torch.device("cpu")
CONF = MegaDepthConf(size=96, batch=6, shift_px=8)


def pairs_in(root: Path, conf: MegaDepthConf = CONF) -> MegaDepthPairs:
    return MegaDepthPairs([], replace(conf, megadepth=str(root)), seed=0)


def looked_at(source: DepthSource, side: str, pair: int, views: list[View], size: int):
    """The photo that a training view looks at, and two homographies from the view's pixels: to
    the pixels of the photo, and to the normalised frame of the window that was cut out of it."""
    looking = getattr(source, side)
    pose, K = looking.cam_from_world[pair].numpy(), looking.intrinsics[pair].numpy()
    (view,) = (v for v in views if np.allclose(v.camera.cam_from_world, pose))
    window_from_view = looking.window_from_view[pair].numpy() @ norm_from_px_matrix(H=size, W=size)
    photo_from_window = view.camera.intrinsics_px @ np.linalg.inv(K)
    return view, photo_from_window @ window_from_view, window_from_view


@pytest.mark.parametrize("size", [96, 36])  # at 36 px every third pixel of the depth is read
def test_the_dense_warp_is_that_of_the_scene(size: int, megadepth: Path, views: list[View]) -> None:
    """Through crop, resize, rotation and shift, against `warp_points` on the photos themselves."""
    source, size = pairs_in(megadepth).batch(0), CONF.size
    batch = source.to(CPU)
    grid = np.stack(np.meshgrid(np.arange(size), np.arange(size)), axis=-1).reshape(-1, 2)
    hidden_points = 0
    for pair in range(CONF.batch):
        a, photo_from_a, window_from_a = looked_at(source, "a", pair, views, size)
        b, photo_from_b, window_from_b = looked_at(source, "b", pair, views, size)
        in_photo_a = apply(photo_from_a, grid)
        in_photo_b, seen = warp_points(a, b, in_photo_a, tolerance=CONF.consistency)
        expected = apply(np.linalg.inv(photo_from_b), in_photo_b)
        found = px_from_norm(batch.b_from_a[pair], H=size, W=size).numpy().reshape(-1, 2)
        valid = batch.valid_a[pair].numpy().ravel()
        # The windows show less than the photos, and the views less than the windows.
        shown = ((expected > 0) & (expected < size - 1)).all(axis=1)
        for points, homography in ((grid, window_from_a), (expected, window_from_b)):
            shown &= (np.abs(apply(homography, points)) < 0.98).all(axis=1)
        assert (seen & shown).sum() > 500
        assert np.abs(found - expected)[valid & seen & shown].max() < 0.1
        assert (valid == seen)[shown].mean() > 0.95  # all but the rims of what hides
        hidden = surely_hidden(a, b, in_photo_a, in_photo_b)
        hidden_points += hidden.sum()
        assert not valid[hidden].any()
    assert hidden_points > 300


@pytest.mark.parametrize(("size", "stride"), [(96, 1), (36, 3), (22, 5)])
def test_depth_is_read_where_its_pixels_are(
    size: int, stride: int, megadepth: Path, views: list[View]
) -> None:
    """Much finer depth than the views are is thinned out; what is left stays in its place."""
    side = pairs_in(megadepth, replace(CONF, size=size, canvas=1.0)).batch(0).a
    for depth, K, pose in zip(side.depths, side.intrinsics, side.cam_from_world, strict=True):
        (view,) = (v for v in views if np.allclose(v.camera.cam_from_world, pose))
        n = len(depth)
        assert n == 120 // stride
        centres = np.stack(np.meshgrid(np.arange(n), np.arange(n)), axis=-1).reshape(-1, 2)
        to_photo = view.camera.intrinsics_px @ np.linalg.inv(K.numpy())
        in_photo = apply(to_photo @ norm_from_px_matrix(H=n, W=n), centres)
        np.testing.assert_allclose(in_photo, np.rint(in_photo), atol=1e-6)
        x, y = np.rint(in_photo).astype(int).T
        np.testing.assert_array_equal(depth.numpy().ravel(), view.depth[y, x])


def surely_hidden(a: View, b: View, points: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Points of A before which B sees, all around, something at least a tenth nearer."""
    W, H = b.camera.size
    x, y = np.clip(np.rint(points).astype(int), 0, (W - 1, H - 1)).T
    depth = np.where(((points > 0) & (points < (W - 1, H - 1))).all(axis=1), a.depth[y, x], 0)
    _, expected = b.camera.project(a.camera.lift(points, depth))
    u, v = np.clip(np.rint(moved).astype(int), 2, (W - 3, H - 3)).T
    around = np.stack([b.depth[v + j, u + i] for j in range(-2, 3) for i in range(-2, 3)])
    inner = ((moved > 2) & (moved < (W - 3, H - 3))).all(axis=1)
    near = (around > 0).all(axis=0) & (around.max(axis=0) < 0.9 * expected)
    return inner & near & (depth > 0)


def test_thresholds_choose_the_pairs(views: list[View], tmp_path: Path) -> None:
    write_scene(tmp_path, "0001", views, overlap=0.2)
    write_scene(tmp_path, "0002", views[:2], overlap=0.6)
    write_scene(tmp_path, "0015", views, overlap=0.9)  # a scene of MegaDepth1500
    drawn = [(scene.name, len(pairs)) for scene, pairs in pairs_in(tmp_path).sets]
    assert drawn == [("0001", 3), ("0002", 1), ("0002", 1)]
    with pytest.raises(MegaDepthError, match=r"more than 0\.7"):
        pairs_in(tmp_path, replace(CONF, overlaps=(0.7,)))


def test_scenes_count_by_the_root_of_their_pairs(views: list[View], tmp_path: Path) -> None:
    write_scene(tmp_path, "0001", views, overlap=0.2)
    write_scene(tmp_path, "0002", views[:2], overlap=0.2)
    weights = pairs_in(tmp_path, replace(CONF, balance=0.5)).weights
    assert weights[0] / weights[1] == pytest.approx(3**0.5)


def test_overlap_matrices_are_read(megadepth: Path, tmp_path: Path) -> None:
    copytree(megadepth, tmp_path / "set")
    index = tmp_path / "set" / "scene_info" / "0001.npz"
    with np.load(index, allow_pickle=True) as loaded:
        info = {key: loaded[key] for key in loaded.files if key != "pair_infos"}
    matrix = np.full((4, 4), -1.0)
    matrix[0, 1], matrix[1, 0] = 0.7, 0.4
    matrix[1, 2], matrix[2, 1] = 0.6, -1.0
    matrix[0, 3], matrix[3, 0] = 0.9, 0.9  # the index has no image for it
    np.savez(index, **info, overlap_matrix=matrix)
    (scene,) = read_index(tmp_path / "set")
    assert scene.pairs.tolist() == [[0, 1]]
    assert scene.overlaps.tolist() == pytest.approx([0.4])


def test_an_index_may_be_one_pickled_dict(megadepth: Path, tmp_path: Path) -> None:
    """As LoFTR's published ones are, in spite of their suffix."""
    copytree(megadepth, tmp_path / "set")
    index = tmp_path / "set" / "scene_info" / "0001.npz"
    with np.load(index, allow_pickle=True) as loaded:
        info = dict(loaded)
    index.write_bytes(pickle.dumps(info))
    (ours,), (theirs,) = read_index(tmp_path / "set"), read_index(megadepth)
    assert (ours.pairs == theirs.pairs).all()
    assert [p and p.name for p in ours.images] == [p and p.name for p in theirs.images]


def test_disks_index_gives_the_same_pairs(
    megadepth: Path, views: list[View], tmp_path: Path
) -> None:
    root = tmp_path / "set"
    copytree(megadepth, root)
    rmtree(root / "scene_info")
    write_disk_index(root, "0001", views, [[0, 1, 2], [1, 0, 2]])
    (disks,), (loftrs,) = read_index(root), read_index(megadepth)
    assert disks.pairs.tolist() == [[0, 1], [0, 2], [1, 2]]
    assert {disks.files(i)[1].name for i in range(3)} == {f"photo{i}.h5" for i in range(3)}
    assert missing_files(root) == []
    for index in range(3):
        for one, other in zip(disks.camera(index), loftrs.camera(index), strict=True):
            assert np.allclose(one, other)
    # Every pair passes the easy threshold as well as the other, so that scenes weigh the same.
    ours = pairs_in(root)
    assert [len(pairs) for _, pairs in ours.sets] == [3, 3]
    batch = ours.batch(0).to(CPU)
    assert batch.valid_a.any()


def test_disks_index_names_what_it_lacks(megadepth: Path, views: list[View], tmp_path: Path):
    (tmp_path / "dataset.json").write_text('{"0001": {"images": []}}')
    with pytest.raises(MegaDepthError, match="scene 0001 lacks image_path, depth_path, calib_path"):
        read_index(tmp_path)
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(MegaDepthError, match="no JSON"):
        read_index(tmp_path)


def test_images_beside_the_depth_maps_will_do(megadepth: Path, tmp_path: Path) -> None:
    root = tmp_path / "set"
    copytree(megadepth, root)
    beside = (root / DEPTHS.format(scene="0001", name="x")).parents[1] / "imgs"
    (root / IMAGES.format(scene="0001", name="x")).parent.rename(beside)
    rmtree(root / "Undistorted_SfM")
    ours, theirs = (pairs_in(r).batch(0).to(CPU) for r in (root, megadepth))
    assert torch.equal(ours.images_a, theirs.images_a)


def test_missing_parts_are_named(megadepth: Path, tmp_path: Path) -> None:
    with pytest.raises(MegaDepthError, match=r"no MegaDepth at .*nowhere"):
        read_index(tmp_path / "nowhere")
    with pytest.raises(MegaDepthError, match="scene_info"):
        read_index(tmp_path)
    root = tmp_path / "set"
    copytree(megadepth, root)
    assert missing_files(root) == []
    gone = root / DEPTHS.format(scene="0001", name="photo1")
    gone.unlink()
    assert missing_files(root) == [gone]
    with pytest.raises(MegaDepthError, match=r"photo1\.h5"):
        pairs_in(root)


def test_an_index_that_lacks_something_is_named(megadepth: Path, tmp_path: Path) -> None:
    copytree(megadepth, tmp_path / "set")
    index = tmp_path / "set" / "scene_info" / "0001.npz"
    np.savez(index, intrinsics=np.eye(3))
    with pytest.raises(MegaDepthError, match=r"0001\.npz: lacks depth_paths"):
        read_index(tmp_path / "set")
    with np.load(megadepth / "scene_info" / "0001.npz", allow_pickle=True) as loaded:
        np.savez(index, **{key: loaded[key] for key in loaded.files if key != "pair_infos"})
    with pytest.raises(MegaDepthError, match="lacks pair_infos and overlap_matrix"):
        read_index(tmp_path / "set")


def test_a_pair_that_cannot_be_read_is_passed_over(
    megadepth: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "set"
    copytree(megadepth, root)
    data = pairs_in(root)
    depth = root / DEPTHS.format(scene="0001", name="photo0")
    depth.write_bytes(b"cut off")
    source = data.batch(0)
    poses = torch.cat([source.a.cam_from_world, source.b.cam_from_world])
    assert len(poses) == 2 * CONF.batch
    assert len(poses.unique(dim=0)) == 2  # only the pair of the other two photos is left
    assert "photo0.h5" in caplog.text
    rmtree(depth.parent)
    with pytest.raises(MegaDepthError, match="ten pairs in a row"):
        data.batch(0)
