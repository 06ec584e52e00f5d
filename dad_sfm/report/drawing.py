"""Pictures of keypoints and matches, drawn with Pillow alone."""

from __future__ import annotations

import colorsys
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from ..geometry import pixel_frames
from ..io.images import read_image

Colour = tuple[int, int, int]

YELLOW: Colour = (255, 225, 40)
GREEN: Colour = (60, 220, 100)
RED: Colour = (255, 70, 70)
WARM: Colour = (255, 170, 40)
BLUE: Colour = (70, 150, 255)
_OUTLINE: Colour = (20, 20, 20)
_BACKGROUND: Colour = (255, 255, 255)
_SMOOTH = 2  # lines are drawn this much larger, then reduced


class PathDetector(Protocol):
    """What `visualize_keypoints` asks of a detector; `DaDDetector` is one."""

    def detect_from_path(
        self, im_path: Path | str, *, num_keypoints: int, return_dense_probs: bool
    ) -> dict[str, Any]: ...


def visualize_keypoints(
    img_path: Path | str, vis_path: Path | str, detector: PathDetector, num_keypoints: int
) -> None:
    """Detect in an image file; save the picture of the points, and of the probabilities.

    The first goes to ``vis_path``, the second beside it as ``<stem>_dense_probs.png``.
    """
    vis_path = Path(vis_path)
    image = read_image(img_path)
    found = detector.detect_from_path(
        img_path, num_keypoints=num_keypoints, return_dense_probs=True
    )
    keypoints_px = pixel_frames.px_from_norm(found["keypoints"][0], H=image.height, W=image.width)
    vis_path.parent.mkdir(parents=True, exist_ok=True)
    draw_keypoints(image, keypoints_px.cpu().numpy()).save(vis_path)
    probs = draw_probabilities(found["dense_probs"][0].cpu().numpy())
    probs.save(vis_path.with_name(f"{vis_path.stem}_dense_probs.png"))


def draw_keypoints(
    image: Image.Image,
    keypoints_px: np.ndarray,
    *,
    colour: Colour = YELLOW,
    radius: float | None = None,
) -> Image.Image:
    """The image with a bright, dark-rimmed dot at every keypoint.

    keypoints_px  N×2 (x, y), pixel-index frame of ``image``; the first is drawn on top
    radius        of the dots in px, by default a small part of the long side
    """
    picture = image.convert("RGB")
    _draw_dots(picture, keypoints_px, colour, radius or _radius(picture))
    return picture


def draw_light_and_dark(
    image: Image.Image,
    keypoints_px: np.ndarray,
    light: np.ndarray,
    *,
    radius: float | None = None,
) -> Image.Image:
    """The image with a warm dot at every light keypoint and a blue one at every dark one.

    keypoints_px, radius  as in `draw_keypoints`
    light                 N bool, see `evaluation.polarity.light_keypoints`
    """
    dark = draw_keypoints(image, keypoints_px[~light], colour=BLUE, radius=radius)
    return draw_keypoints(dark, keypoints_px[light], colour=WARM, radius=radius)


def draw_matches(
    image0: Image.Image,
    image1: Image.Image,
    keypoints0_px: np.ndarray,
    keypoints1_px: np.ndarray,
    *,
    inliers: np.ndarray | None = None,
    resize_max: int = 1024,
) -> Image.Image:
    """The two images side by side, with a line for every match.

    keypoints0_px, keypoints1_px  K×2 matched points, each in the pixel-index frame of its image
    inliers     K bool: lines are green where true and red, below, where false; without it each
                line has the hue of its height in the first image
    resize_max  long side at which each image is shown, larger ones are reduced
    """
    if len(keypoints0_px) != len(keypoints1_px):
        raise ValueError(
            f"matched keypoints differ in number: {len(keypoints0_px)} and {len(keypoints1_px)}"
        )
    small0, small1 = (_reduced(image, resize_max) for image in (image0, image1))
    gap = max(4, round(0.01 * (small0.width + small1.width)))
    offset = small0.width + gap
    picture = Image.new(
        "RGB", (offset + small1.width, max(small0.height, small1.height)), _BACKGROUND
    )
    picture.paste(small0, (0, 0))
    picture.paste(small1, (offset, 0))

    points0 = pixel_frames.resized_px(
        np.asarray(keypoints0_px, dtype=np.float32).reshape(-1, 2),
        source_size=image0.size,
        target_size=small0.size,
    )
    points1 = pixel_frames.resized_px(
        np.asarray(keypoints1_px, dtype=np.float32).reshape(-1, 2),
        source_size=image1.size,
        target_size=small1.size,
    )
    points1 = points1 + np.array([offset, 0], dtype=np.float32)
    if inliers is None:
        order = np.arange(len(points0))
        colours = [_hue(y / small0.height) for y in points0[:, 1]]
    else:
        order = np.argsort(np.asarray(inliers, dtype=bool), kind="stable")
        colours = [GREEN if inlier else RED for inlier in inliers]
    picture = _draw_lines(picture, points0, points1, colours, order)
    radius = 0.6 * _radius(picture)
    for i in order:
        _draw_dots(picture, np.stack([points0[i], points1[i]]), colours[i], radius)
    return picture


def draw_probabilities(probs: np.ndarray) -> Image.Image:
    """H×W probabilities as a grey picture: white is the most probable pixel of the image.

    Shown is the square root, since a policy spans many orders of magnitude.
    """
    strength = (probs / max(float(probs.max(initial=0)), np.finfo(np.float32).tiny)) ** 0.5
    return Image.fromarray((255 * strength).astype(np.uint8))


def overlay_probabilities(image: Image.Image, probs: np.ndarray) -> Image.Image:
    """The image in grey, darkened, with the peaks of its H×W probabilities in yellow.

    Shown is what is above the median, by its square root; peaks of a pixel are widened so that
    they can be seen.  The map may be of another size than the image.
    """
    strength = np.sqrt(probs)
    strength = strength - np.median(strength)
    most = max(float(np.quantile(strength, 0.9999)), np.finfo(np.float32).tiny)
    shown = Image.fromarray((255 * np.clip(strength / most, 0, 1)).astype(np.uint8))
    width = 2 * round(max(probs.shape) / 500) + 1
    peaks = shown.filter(ImageFilter.MaxFilter(width)).resize(image.size, Image.Resampling.BILINEAR)
    share = np.asarray(peaks, np.float32)[..., None] / 255
    grey = np.asarray(image.convert("L"), np.float32)[..., None]
    mixed = 0.6 * grey * (1 - share) + share * np.array(YELLOW, np.float32)
    return Image.fromarray(mixed.round().astype(np.uint8))


def _radius(picture: Image.Image) -> float:
    return max(1.5, max(picture.size) / 400)


def _hue(position: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(0.85 * min(max(position, 0.0), 1.0), 0.85, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)


def _reduced(image: Image.Image, resize_max: int) -> Image.Image:
    picture = image.convert("RGB")
    picture.thumbnail((resize_max, resize_max), Image.Resampling.LANCZOS)
    return picture


def _draw_dots(picture: Image.Image, points_px: np.ndarray, colour: Colour, radius: float) -> None:
    dot, mask = _dot(colour, radius)
    middle = (dot.width - 1) / 2
    for x, y in np.asarray(points_px)[::-1]:
        picture.paste(dot, (round(x - middle), round(y - middle)), mask)


def _dot(colour: Colour, radius: float) -> tuple[Image.Image, Image.Image]:
    """A smooth dot with a dark rim, and where it covers what is below."""
    fine = 8
    rim = max(1.0, 0.4 * radius)
    side = 2 * int(np.ceil(radius + rim)) + 1
    dot = Image.new("RGB", (side * fine, side * fine), _OUTLINE)
    mask = Image.new("L", dot.size, 0)
    centre = (side * fine / 2, side * fine / 2)
    ImageDraw.Draw(mask).circle(centre, (radius + rim) * fine, fill=255)
    ImageDraw.Draw(dot).circle(centre, radius * fine, fill=colour)
    return dot.reduce(fine), mask.reduce(fine)


def _draw_lines(
    picture: Image.Image,
    points0: np.ndarray,
    points1: np.ndarray,
    colours: list[Colour],
    order: np.ndarray,
) -> Image.Image:
    # Enlarged by repetition and reduced by averaging, what no line touches stays as it was.
    size = (picture.width * _SMOOTH, picture.height * _SMOOTH)
    large = picture.resize(size, Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(large)
    width = max(_SMOOTH, round(_SMOOTH * max(picture.size) / 1600))
    for i in order:
        ends = [tuple((p + 0.5) * _SMOOTH) for p in (points0[i], points1[i])]
        draw.line(ends, fill=colours[i], width=width)
    # Sheer, so that hundreds of lines leave the photos to be seen.
    return Image.blend(picture, large.reduce(_SMOOTH), 0.7)
