"""The pictures of the README, from the rendered courtyard; random scenes for docs/training.md.

python pipelines/readme_figures.py
"""

from pathlib import Path

import numpy as np
from PIL import Image

from dad_sfm.colmap.model import read_coloured_points
from dad_sfm.io.images import read_image
from dad_sfm.io.scenes import find_scene
from dad_sfm.io.store import FeatureReader
from dad_sfm.pipeline import reconstruct
from dad_sfm.report.drawing import draw_keypoints
from dad_sfm.report.page.top_view import top_view
from dad_sfm.synthetic import another_day, random_cameras, random_scene, render

SHOWN = "0003.jpg"
IMAGES = Path("docs/images")
RANDOM_SCENES = (4, 6)
# Alone, the drawing has no style sheet to take its colours from.
STANDALONE = '<svg xmlns="http://www.w3.org/2000/svg" fill="#d62f2f" style="background:#fff"'


def main() -> None:
    scene, out = find_scene("courtyard"), Path("outputs/courtyard")
    reconstruct("courtyard", out)
    IMAGES.mkdir(parents=True, exist_ok=True)
    with FeatureReader(out / "features.h5") as reader:
        keypoints_px = reader.read(SHOWN, descriptors=False).keypoints_px
    picture = draw_keypoints(read_image(scene.image_dir / SHOWN), keypoints_px[:1024])
    picture.save(IMAGES / "keypoints.jpg", quality=85)
    drawing = top_view(*read_coloured_points(out / "sparse" / "0"))
    svg = drawing.replace("<svg", STANDALONE, 1)
    (IMAGES / "reconstruction.svg").write_text(svg, encoding="utf-8")
    rows = np.concatenate([views_of(seed) for seed in RANDOM_SCENES])
    Image.fromarray(rows).save(IMAGES / "rendered.jpg", quality=85)


def views_of(seed: int) -> np.ndarray:
    """Three views of a random scene side by side, each on another day."""
    scene = random_scene(seed)
    cameras = random_cameras(scene, seed, 3, size=(280, 240))
    days = [another_day(scene, seed + number) for number in range(len(cameras))]
    return np.concatenate([render(d, c).rgb for d, c in zip(days, cameras, strict=True)], axis=1)


if __name__ == "__main__":
    main()
