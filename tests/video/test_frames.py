"""Frames, bars and clips."""

import numpy as np
import pytest

from dad_sfm.core.config import ConfigError
from dad_sfm.geometry.pixel_frames import resized_px
from dad_sfm.io.npz_archive import ArchiveError
from dad_sfm.video.clips import Clip, clips_folder, read_clips, write_clip
from dad_sfm.video.distractors import BAR_PX, BAR_RGB, with_bars
from dad_sfm.video.frames import resize_nearest


def test_a_pixel_goes_where_pixel_frames_say():
    screen = np.zeros((1, 210, 160, 3), dtype=np.uint8)
    screen[0, 100:110, 40:48] = 255  # middle (43.5, 104.5)
    rows, columns = np.nonzero(resize_nearest(screen)[0, :, :, 0])
    there = resized_px(np.array([43.5, 104.5]), source_size=(160, 210), target_size=(84, 84))
    assert abs(columns.mean() - there[0]) < 0.5
    assert abs(rows.mean() - there[1]) < 0.5


@pytest.mark.parametrize(
    ("noise", "pixels"),
    [("none", 0), ("horizontal", 84 * 5), ("vertical", 84 * 5), ("both", 2 * 84 * 5 - 25)],
)
def test_bars_are_five_pixels_wide_and_go_across(noise, pixels):
    frame = np.zeros((84, 84, 3), dtype=np.uint8)
    seen = with_bars(frame, noise, np.random.default_rng(0))
    assert (seen == BAR_RGB).all(axis=-1).sum() == pixels
    assert not frame.any()


def test_bars_reach_both_edges():
    rng = np.random.default_rng(0)
    frame = np.zeros((BAR_PX + 1, 8, 3), dtype=np.uint8)
    tops = {int(with_bars(frame, "horizontal", rng).any(axis=(1, 2)).argmax()) for _ in range(30)}
    assert tops == {0, 1}


def test_clips_are_read_as_they_were_written(tmp_path):
    rng = np.random.default_rng(0)
    clip = Clip(
        rng.integers(0, 256, (3, 84, 84, 3), dtype=np.uint8),
        rng.integers(0, 256, (3, 128), dtype=np.uint8),
    )
    write_clip(clips_folder(tmp_path, "train", "mspacman"), 0, clip)
    assert (tmp_path / "train" / "MsPacman" / "00000.npz").is_file()
    (found,) = read_clips(tmp_path, "train", "mspacman")
    assert np.array_equal(found.frames, clip.frames)
    assert np.array_equal(found.ram, clip.ram)


def test_the_public_layout_is_read(tmp_path):
    folder = clips_folder(tmp_path, "test", "Seaquest")
    folder.mkdir(parents=True)
    np.savez(folder / "a.npz", observations=np.zeros((2, 210, 160, 3), dtype=np.uint8))
    (clip,) = read_clips(tmp_path, "test", "seaquest")
    assert clip.frames.shape == (2, 84, 84, 3)
    assert clip.ram is None


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"other": np.zeros(3)}, "neither frames nor observations"),
        ({"frames": np.zeros((2, 84, 84), dtype=np.uint8)}, "not T×H×W×3"),
        ({"frames": np.zeros((2, 84, 84, 3))}, "float64, not uint8"),
    ],
)
def test_files_of_something_else_are_refused(tmp_path, arrays, said):
    folder = clips_folder(tmp_path, "train", "mspacman")
    folder.mkdir(parents=True)
    np.savez(folder / "a.npz", **arrays)
    with pytest.raises(ArchiveError, match=said):
        read_clips(tmp_path, "train", "mspacman")


def test_where_there_is_nothing_the_remedy_is_named(tmp_path):
    with pytest.raises(ConfigError, match="dad-sfm video record"):
        read_clips(tmp_path, "train", "mspacman")
