"""How far descriptors carry: turned and scaled copies of photos, and views from far apart.

    python pipelines/descriptor_limits.py --photos ../shared/scenes/fountain-P11/images \
        --scene scenes/sacre_coeur

Each photo is matched with copies of itself whose geometry is known; pairs of the scene, whose
cameras are in ``gt/`` (a COLMAP model), from the narrowest to the widest.  Prints tables and draws
``--plot``.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from dad_sfm import PairMatcher
from dad_sfm.colmap.model import read_model
from dad_sfm.evaluation.estimation import intrinsics
from dad_sfm.evaluation.pose_task import PosePair, pairs_of_model
from dad_sfm.evaluation.poses import rotation_angle_deg
from dad_sfm.geometry import homography
from dad_sfm.geometry.pixel_frames import colmap_from_px
from dad_sfm.io.images import read_image
from dad_sfm.io.listing import list_images

PRESETS = [
    "dad-nano+hypercolumn",
    "dad-nano+rootsift",
    "dad-nano+aliked-n16",
    "aliked-n16",
    "edgepoint2-e64",
    "sift",
]
ANGLES_DEG = [0, 15, 30, 45, 60, 75, 90]
SCALES = [0.5, 0.71, 1.0, 1.41, 2.0]
SMALL_PX = 512  # long side of photos whose copies are scaled, so that twice as large is 1024
LARGE_PX = 1024
LIMIT_PX = 3.0
EPIPOLAR_PX = 2.0
Count = tuple[float, float]  # matches, and those that are right


def main() -> None:
    options = _options()
    photos = [options.photos / name for name in list_images(options.photos)][:: options.every]
    counts: dict[str, dict[str, list[Count]]] = {"rotation": {}, "scale": {}, "wide": {}}
    with tempfile.TemporaryDirectory() as folder:
        turned = [copies(photo, LARGE_PX, ANGLES_DEG, rotation, Path(folder)) for photo in photos]
        scaled = [copies(photo, SMALL_PX, SCALES, scaling, Path(folder)) for photo in photos]
        pairs = widest_last(options.scene) if options.scene else []
        for preset in options.presets:
            match = PairMatcher(preset, max_keypoints=options.keypoints)
            counts["rotation"][preset] = mean_counts(match, turned)
            counts["scale"][preset] = mean_counts(match, scaled)
            counts["wide"][preset] = [seen(match, options.scene, group) for group in pairs]
            print("done:", preset, flush=True)
    axes = {
        "rotation": [f"{angle}°" for angle in ANGLES_DEG],
        "scale": [f"×{scale:g}" for scale in SCALES],
        "wide": [span(group) for group in pairs],
    }
    for name, values in counts.items():
        print("\n".join(table(name, axes[name], values)), end="\n\n")
    draw(axes, counts, options.plot)


# ---------------------------------------------------------------------------- known geometry
def rotation(angle_deg: float, size: tuple[int, int]) -> tuple[np.ndarray, tuple[int, int]]:
    """Copy from photo (3×3, COLMAP frame), and the size of the copy that shows all of it."""
    angle = np.radians(angle_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    target = np.ceil(np.abs(turn) @ size - 1e-6).astype(int)
    matrix = np.eye(3)
    matrix[:2, :2] = turn
    matrix[:2, 2] = target / 2 - turn @ np.array(size) / 2
    return matrix, (int(target[0]), int(target[1]))


def scaling(scale: float, size: tuple[int, int]) -> tuple[np.ndarray, tuple[int, int]]:
    target = (round(size[0] * scale), round(size[1] * scale))
    return np.diag([target[0] / size[0], target[1] / size[1], 1.0]), target


def copies(
    photo: Path,
    long_side: int,
    amounts: list,
    geometry: Callable[[float, tuple[int, int]], tuple[np.ndarray, tuple[int, int]]],
    folder: Path,
) -> list[tuple[Path, Path, np.ndarray]]:
    """(photo, copy, copy_from_photo) for each amount; both are drawn from the original file."""
    original = read_image(photo)
    shrink = long_side / max(original.size)
    size = (round(original.width * shrink), round(original.height * shrink))
    name = f"{photo.stem}-{geometry.__name__}"
    first = folder / f"{name}.png"
    original.resize(size, Image.Resampling.LANCZOS).save(first)
    found = []
    for amount in amounts:
        matrix, target = geometry(amount, size)
        if geometry is scaling:
            copy = original.resize(target, Image.Resampling.LANCZOS)
        else:
            inverse = np.linalg.inv(matrix)[:2].flatten().tolist()
            source = Image.open(first)
            copy = source.transform(
                target, Image.Transform.AFFINE, inverse, Image.Resampling.BICUBIC
            )
        path = folder / f"{name}-{amount}.png"
        copy.save(path)
        found.append((first, path, matrix))
    return found


def mean_counts(match: PairMatcher, photos: list[list[tuple[Path, Path, np.ndarray]]]) -> list:
    """Matches and right ones for each amount, means over the photos."""
    counts = []
    for photo in photos:
        row = []
        for first, copy, copy_from_photo in photo:
            found = match(first, copy)
            here, there = colmap_from_px(found.points0), colmap_from_px(found.points1)
            back = homography.apply(np.linalg.inv(copy_from_photo), there.astype(np.float64))
            right = np.linalg.norm(back - here, axis=1) < LIMIT_PX
            row.append((len(here), int(right.sum())))
        counts.append(row)
    return [tuple(each) for each in np.mean(counts, axis=0)]


# -------------------------------------------------------------------------------- true cameras
def widest_last(scene: Path, groups: int = 3) -> list[list[PosePair]]:
    """The pairs of a scene in groups of equal size, by the angle between their cameras."""
    pairs = pairs_of_model(read_model(scene / "gt"), max_axis_deg=45.0)
    pairs = sorted(pairs, key=between_deg)
    return [list(group) for group in np.array_split(np.array(pairs, dtype=object), groups)]


def between_deg(pair: PosePair) -> float:
    return float(rotation_angle_deg(pair.b_from_a[:, :3], np.eye(3)))


def span(pairs: list[PosePair]) -> str:
    angles = [between_deg(pair) for pair in pairs]
    return f"{min(angles):.0f}-{max(angles):.0f}°"


def seen(match: PairMatcher, scene: Path, pairs: list[PosePair]) -> Count:
    """Mean matches, and those within `EPIPOLAR_PX` of the true epipolar geometry."""
    counts = []
    for pair in pairs:
        found = match(scene / "images" / pair.name_a, scene / "images" / pair.name_b)
        points = [colmap_from_px(p).astype(np.float64) for p in (found.points0, found.points1)]
        counts.append((len(points[0]), int((sampson_px(pair, *points) < EPIPOLAR_PX).sum())))
    matches, right = np.mean(counts, axis=0)
    return float(matches), float(right)


def sampson_px(pair: PosePair, points_a: np.ndarray, points_b: np.ndarray) -> np.ndarray:
    """Distance of matches (K×2, COLMAP frame) from the true epipolar geometry, to first order."""
    t = pair.b_from_a[:, 3]
    cross = np.array([[0, -t[2], t[1]], [t[2], 0, -t[0]], [-t[1], t[0], 0]])
    K_a, K_b = (intrinsics(camera) for camera in pair.cameras)
    F = np.linalg.inv(K_b).T @ cross @ pair.b_from_a[:, :3] @ np.linalg.inv(K_a)
    a, b = (np.concatenate([p, np.ones((len(p), 1))], axis=1) for p in (points_a, points_b))
    line_b, line_a = a @ F.T, b @ F
    slope = (line_a[:, :2] ** 2).sum(axis=1) + (line_b[:, :2] ** 2).sum(axis=1)
    return np.abs((b * line_b).sum(axis=1)) / np.sqrt(slope)


# -------------------------------------------------------------------------------------- output
def table(name: str, amounts: list[str], counts: dict[str, list[Count]]) -> list[str]:
    """Lines of markdown: right / all matches."""
    lines = [f"| {name} | " + " | ".join(amounts) + " |", "|" + "---|" * (1 + len(amounts))]
    for preset, row in counts.items():
        lines.append(f"| `{preset}` | " + " | ".join(f"{r:.0f} / {m:.0f}" for m, r in row) + " |")
    return lines


def draw(axes: dict, counts: dict, path: Path) -> None:
    """Right matches as lines, all matches as faint ones."""
    figure, panels = plt.subplots(1, 3, figsize=(12, 3.6))
    for panel, (name, amounts) in zip(panels, axes.items(), strict=True):
        for number, (preset, row) in enumerate(counts[name].items()):
            matches, right = np.array(row).reshape(-1, 2).T
            panel.plot(right, color=f"C{number}", label=preset, marker=".")
            panel.plot(matches, color=f"C{number}", alpha=0.3, linestyle="--")
        panel.set_xticks(range(len(amounts)), amounts)
        panel.set_ylim(bottom=0)
        panel.set_xlabel({"wide": "rotation between cameras"}.get(name, name))
    panels[0].set_ylabel("matches (dashed), right ones")
    panels[0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=Path, required=True, help="folder of photos")
    parser.add_argument("--scene", type=Path, help="folder with images/ and gt/")
    parser.add_argument("--presets", nargs="+", default=PRESETS)
    parser.add_argument("--keypoints", type=int, default=1024, help="per image")
    parser.add_argument("--every", type=int, default=4, help="take every so many-th photo")
    parser.add_argument("--plot", type=Path, default=Path("docs/images/descriptor_limits.svg"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
