"""What an odometry run shows: the path from above, and the frames with their tracks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from ..evaluation.estimation import MissingDependencyError
from ..io.images import read_image
from .matching import Links
from .sequence import FrameSequence

_TAIL = 6  # frames
_RATE = 10  # frames per second
_VIDEO_PX = 960  # long side at most
_PATH_PX, _MARGIN_PX = 480, 24  # of the video of the path


def draw_path(path: Path, poses: np.ndarray, truth: np.ndarray | None) -> None:
    """Draw a path, N×4×4 world_from_cam, from above: in the plane in which it moves most.

    Raises `MissingDependencyError` without matplotlib.
    """
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError(
            "the plot of a path needs matplotlib: pip install 'dad_sfm[figures]'"
        ) from error
    reference = poses if truth is None else truth
    centre, plane = ground_plane(reference[:, :3, 3])
    with rc_context({"svg.hashsalt": "odometry", "svg.fonttype": "none"}):
        figure = Figure(figsize=(5, 5), layout="constrained")
        axes = figure.add_subplot(aspect="equal")
        if truth is not None:
            axes.plot(*((truth[:, :3, 3] - centre) @ plane.T).T, "k--", lw=1, label="truth")
        axes.plot(*((poses[:, :3, 3] - centre) @ plane.T).T, "-", color="#c33", label="odometry")
        axes.plot(*((poses[:1, :3, 3] - centre) @ plane.T).T, "o", color="#c33", ms=4)
        axes.set_xlabel("m" if truth is not None else "steps")
        axes.legend(frameon=False)
        figure.savefig(path, metadata={"Date": None})


def ground_plane(centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean of N×3 points and the 2×3 axes along which they spread most."""
    mean = centres.mean(axis=0)
    return mean, np.linalg.svd(centres - mean)[2][:2]


def draw_path_video(path: Path, poses: np.ndarray, truth: np.ndarray | None) -> None:
    """Write the path of `draw_path` as it grows, a picture a frame: grey the truth, red the path.

    Raises `MissingDependencyError` without PyAV.
    """
    write_video(path, path_pictures(poses, truth))


def path_pictures(poses: np.ndarray, truth: np.ndarray | None) -> Iterator[Image.Image]:
    """A square picture for each of N×4×4 world_from_cam, of the path up to there."""
    centre, plane = ground_plane((poses if truth is None else truth)[:, :3, 3])
    paths = [(each[:, :3, 3] - centre) @ plane.T for each in (poses, truth) if each is not None]
    every = np.concatenate(paths)
    middle = (every.min(axis=0) + every.max(axis=0)) / 2
    scale = (_PATH_PX - 2 * _MARGIN_PX) / max(np.ptp(every, axis=0).max(), 1e-9)
    # Pictures have y downwards.
    corners = [_PATH_PX / 2 + (each - middle) * scale for each in paths]
    dots = [[(float(x), _PATH_PX - float(y)) for x, y in each] for each in corners]
    for number in range(len(poses)):
        picture = Image.new("RGB", (_PATH_PX, _PATH_PX), "white")
        draw = ImageDraw.Draw(picture)
        if truth is not None:
            draw.line(dots[1], fill=(170, 170, 170), width=2)
        draw.line(dots[0][: number + 1], fill=(204, 51, 51), width=2)
        x, y = dots[0][number]
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=(204, 51, 51))
        yield picture


def draw_video(path: Path, sequence: FrameSequence, links: Links) -> None:
    """Write frames with their keypoints and where these came from: green ones are followed, red
    ones are new.  Raises `MissingDependencyError` without PyAV."""
    before = [np.full(len(points), -1) for points in links.points]
    for number, step in enumerate(links.steps):
        rows = np.flatnonzero(step >= 0)
        before[number + 1][step[rows]] = rows

    def pictures() -> Iterator[Image.Image]:
        for number, name in enumerate(sequence.names):
            picture = read_image(sequence.image_dir / name).convert("RGB")
            scale = min(1.0, _VIDEO_PX / max(picture.size))
            # Chroma is of half the size.
            size = [max(2, round(side * scale) // 2 * 2) for side in picture.size]
            yield _frame(picture.resize((size[0], size[1])), scale, number, links, before)

    write_video(path, pictures())


def write_video(path: Path, pictures: Iterable[Image.Image]) -> None:
    """Write pictures of one even size.  Raises `MissingDependencyError` without PyAV."""
    try:
        import av
    except ImportError as error:
        raise MissingDependencyError(
            "videos are written by PyAV: pip install 'dad_sfm[video]'"
        ) from error
    with av.open(str(path), "w") as container:
        stream = None
        for picture in pictures:
            if stream is None:
                stream = container.add_stream("mpeg4", rate=_RATE)
                stream.width, stream.height, stream.pix_fmt = *picture.size, "yuv420p"
                stream.bit_rate = 4_000_000
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        if stream is not None:
            container.mux(stream.encode())


def _frame(
    picture: Image.Image, scale: float, number: int, links: Links, before: list[np.ndarray]
) -> Image.Image:
    draw = ImageDraw.Draw(picture)
    for row, point in enumerate(links.points[number]):
        trail, frame, at = [point], number, row
        while frame > 0 and len(trail) <= _TAIL and before[frame][at] >= 0:
            at, frame = int(before[frame][at]), frame - 1
            trail.append(links.points[frame][at])
        dots = [tuple(((p + 0.5) * scale).tolist()) for p in trail]
        colour = (60, 220, 90) if len(trail) > 1 else (230, 60, 50)
        if len(dots) > 1:
            draw.line(dots, fill=colour)
        x, y = dots[0]
        draw.ellipse((x - 1.5, y - 1.5, x + 1.5, y + 1.5), outline=colour)
    return picture
