"""Frames of a video: which ones, upright, and once."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dad_sfm.io.images import ImageError
from dad_sfm.io.video_frames import FramesConf, extract_frames, is_video

RATE = 10


def write_video(path: Path, frames: list[np.ndarray]) -> Path:
    av = pytest.importorskip("av")
    H, W, _ = frames[0].shape
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = W, H, "yuv420p"
        stream.bit_rate = 4_000_000
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def flat_but(sharp: list[int], count: int) -> list[np.ndarray]:
    """Grey frames, of which some have edges."""
    edges = np.full((64, 96, 3), 60, np.uint8)
    edges[:, ::16] = edges[:, 1::16] = 220
    return [edges if i in sharp else np.full((64, 96, 3), 60, np.uint8) for i in range(count)]


def test_the_sharpest_frame_of_each_interval(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", flat_but([3, 7, 14, 19], 20))
    assert is_video(video)
    folder = extract_frames(video, tmp_path / "frames", FramesConf(rate=2))
    # Five frames are half a second: 3 of 0-4, 7 of 5-9, 14 of 10-14, 19 of 15-19.
    assert sorted(p.name for p in folder.glob("*.jpg")) == [
        f"{number:06d}.jpg" for number in (3, 7, 14, 19)
    ]
    assert Image.open(folder / "000003.jpg").size == (96, 64)


def test_frames_are_made_once_and_other_files_are_left_alone(tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", flat_but([1], 10))
    folder = extract_frames(video, tmp_path / "frames", FramesConf(rate=1))
    before = (folder / "000001.jpg").stat().st_mtime_ns
    extract_frames(video, folder, FramesConf(rate=1))
    assert (folder / "000001.jpg").stat().st_mtime_ns == before
    extract_frames(video, folder, FramesConf(rate=2))
    assert len(list(folder.glob("*.jpg"))) == 2
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "b.jpg").touch()
    with pytest.raises(ImageError, match="mine holds other files"):
        extract_frames(video, mine)


def test_a_phone_held_upright(tmp_path: Path) -> None:
    """The track's matrix turns by 90° clockwise: what is on the left is shown on top."""
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[:, 48:] = 200
    video = write_video(tmp_path / "a.mov", [pixels] * 5)
    data = bytearray(video.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    one = 1 << 16
    turned = struct.pack(">9i", 0, one, 0, -one, 0, 0, 64 * one, 0, 1 << 30)
    data[matrix : matrix + 36] = turned
    video.write_bytes(data)
    (found,) = extract_frames(video, tmp_path / "frames", FramesConf(rate=1)).glob("*.jpg")
    shown = np.asarray(Image.open(found).convert("L"))
    assert shown.shape == (96, 64)
    assert shown[:40].mean() < 20
    assert shown[56:].mean() > 180


def test_what_is_no_video(tmp_path: Path) -> None:
    pytest.importorskip("av")
    (tmp_path / "a.mp4").write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(ImageError, match=r"a\.mp4: cannot be decoded"):
        extract_frames(tmp_path / "a.mp4", tmp_path / "frames")
    assert not list(tmp_path.glob("frames*"))
