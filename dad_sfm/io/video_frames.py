"""A video as photos: the sharpest frame of each interval, turned as the player turns it."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..core.progress import progress
from .images import ImageError
from .photo_identity import identify

logger = logging.getLogger(__name__)

# fmt: off
VIDEO_SUFFIXES = frozenset({
    ".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mts", ".m2ts", ".mpg", ".mpeg", ".wmv",
    ".3gp", ".ts", ".insv", ".360",
})
# fmt: on
_INDEX = ".frames.json"  # what the folder was made from
_LOOKED_AT = 640  # px: long side of the copy whose sharpness is measured


@dataclass(frozen=True)
class FramesConf:
    """Which frames of a video become photos.

    rate  frames per second that are kept, the sharpest of each interval
    """

    rate: float = 2.0

    def __post_init__(self) -> None:
        if self.rate <= 0:
            raise ValueError(f"a rate of {self.rate} frames per second keeps none")


def is_video(path: Path | str) -> bool:
    """Whether a path is a file with the suffix of a video."""
    return Path(path).suffix.lower() in VIDEO_SUFFIXES and Path(path).is_file()


def all_frames(video: Path | str) -> Iterator[np.ndarray]:
    """Every frame of a video, H×W×3 uint8 RGB, as a player shows it.

    Raises `ImageError` for a file that cannot be decoded, ImportError where PyAV is missing.
    """
    for _, frame in _decode(Path(video)):
        yield np.asarray(_upright(frame))


def extract_frames(video: Path | str, folder: Path | str, conf: FramesConf | None = None) -> Path:
    """Write frames of a video as ``folder/<number>.jpg``; returns the folder.

    Frames that an earlier call has made of the same video with the same ``conf`` stay as they are.
    Raises `ImageError` for a file that cannot be decoded or a folder of other files, and
    ImportError where PyAV is missing.
    """
    conf, source, target = conf or FramesConf(), Path(video), Path(folder)
    made_from = {"video": identify(source), **asdict(conf)}
    if _is_made_from(target, made_from):
        return target
    if target.exists() and any(target.iterdir()) and not (target / _INDEX).is_file():
        raise ImageError(f"{target} holds other files; give another folder for the frames")
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        count = 0
        for number, frame in _sharpest(source, conf.rate):
            _upright(frame).save(partial / f"{number:06d}.jpg", quality=95, subsampling=0)
            count += 1
        if not count:
            raise ImageError(f"{source}: no frame in it")
        (partial / _INDEX).write_text(json.dumps(made_from), encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        partial.replace(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    logger.info("%s: %d frames -> %s", source, count, target)
    return target


def _is_made_from(folder: Path, made_from: dict[str, object]) -> bool:
    try:
        return bool(json.loads((folder / _INDEX).read_text(encoding="utf-8")) == made_from)
    except (OSError, ValueError):
        return False


def _sharpest(video: Path, rate: float) -> Iterator[tuple[int, Any]]:
    """Number and ``av.VideoFrame`` of the sharpest frame of each 1 / rate seconds."""
    interval, best = None, (-1.0, 0, None)
    for number, (time, frame) in enumerate(_decode(video)):
        own = int(time * rate + 1e-6)
        if own != interval and best[2] is not None:
            yield best[1], best[2]
            best = (-1.0, 0, None)
        interval = own
        if (sharpness := _sharpness(frame)) > best[0]:
            best = (sharpness, number, frame)
    if best[2] is not None:
        yield best[1], best[2]


def _decode(video: Path) -> Iterator[tuple[float, Any]]:
    """Seconds from the beginning, and ``av.VideoFrame``."""
    try:
        import av
    except ImportError as error:
        raise ImportError(f"{video}: videos are read by PyAV; pip install av") from error
    try:
        with av.open(str(video)) as container:
            if not container.streams.video:
                raise ImageError(f"{video}: no video in it")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            rate = float(stream.average_rate or 25)
            start = None
            frames = container.decode(stream)
            bar = progress(frames, "frames", total=stream.frames or None, unit="frame")
            for number, frame in enumerate(bar):
                time = number / rate if frame.time is None else float(frame.time)
                start = time if start is None else start
                yield max(time - start, 0.0), frame
    except av.FFmpegError as error:
        raise ImageError(f"{video}: cannot be decoded ({error})") from error


def _sharpness(frame: Any) -> float:
    """Mean square of the Laplacian of a small grey copy."""
    scale = min(1.0, _LOOKED_AT / max(frame.width, frame.height))
    size = {s: max(8, round(getattr(frame, s) * scale)) for s in ("width", "height")}
    grey = frame.reformat(**size, format="gray").to_ndarray().astype(np.float32)
    inner = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * inner
    return float((laplacian**2).mean())


def _upright(frame: Any) -> Image.Image:
    """A frame as a player shows it: phones note how they were held instead of turning pixels."""
    image: Image.Image = frame.to_image()
    turn = round(getattr(frame, "rotation", 0) / 90) % 4
    return image.rotate(90 * turn, expand=True) if turn else image
