"""A small set in the layout of MegaDepth's public release, made of rendered views."""

import json
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

from dad_sfm.geometry.pixel_frames import colmap_from_px
from dad_sfm.synthetic import View

DEPTHS = "phoenix/S6/zl548/MegaDepth_v1/{scene}/dense0/depths/{name}.h5"
IMAGES = "Undistorted_SfM/{scene}/images/{name}.jpg"


def write_scene(root: Path, scene: str, views: Sequence[View], *, overlap: float = 0.5) -> None:
    """Photos, depth maps and the index (LoFTR's form) of a scene of which all views overlap."""
    names = [f"photo{i}" for i in range(len(views))]
    images = [IMAGES.format(scene=scene, name=name) for name in names]
    depths = [DEPTHS.format(scene=scene, name=name) for name in names]
    for view, image, depth in zip(views, images, depths, strict=True):
        for path in (root / image, root / depth):
            path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(view.rgb).save(root / image, quality=97, subsampling=0)
        with h5py.File(root / depth, "w") as file:
            file["depth"] = view.depth
    pairs = [(i, j) for i in range(len(views)) for j in range(i)]
    infos = np.empty(len(pairs), object)
    infos[:] = [(np.array(pair), overlap, np.zeros((0, 4))) for pair in pairs]
    (root / "scene_info").mkdir(exist_ok=True)
    np.savez(
        root / "scene_info" / f"{scene}.npz",
        # The release has holes where an image has no depth map.
        image_paths=np.array([*images, None], object),
        depth_paths=np.array([*depths, None], object),
        intrinsics=np.array([*map(_intrinsics, views), None], object),
        poses=np.array([*map(_pose, views), None], object),
        pair_infos=infos,
    )


def write_disk_index(
    root: Path, scene: str, views: Sequence[View], tuples: Sequence[Sequence[int]]
) -> None:
    """DISK's index, and its cameras, of a scene that `write_scene` has written."""
    cameras = root / "calibration" / scene
    cameras.mkdir(parents=True)
    names = [f"photo{i}.jpg" for i in range(len(views))]
    for name, view in zip(names, views, strict=True):
        pose = view.camera.cam_from_world
        with h5py.File(cameras / f"calibration_{name}.h5", "w") as file:
            file["K"], file["R"], file["T"] = _intrinsics(view), pose[:, :3], pose[:, 3]
    folders = {
        "image_path": str(Path(IMAGES.format(scene=scene, name="")).parent),
        "depth_path": str(Path(DEPTHS.format(scene=scene, name="")).parent),
        "calib_path": f"calibration/{scene}",
    }
    index = {scene: {**folders, "images": names, "tuples": tuples}}
    (root / "dataset.json").write_text(json.dumps(index))


def _intrinsics(view: View) -> np.ndarray:
    K = view.camera.intrinsics_px.copy()
    K[:2, 2] = colmap_from_px(K[:2, 2])
    return K


def _pose(view: View) -> np.ndarray:
    return np.vstack([view.camera.cam_from_world, [0, 0, 0, 1]])
