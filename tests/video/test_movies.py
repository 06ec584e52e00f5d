import numpy as np
import pytest

from dad_sfm.core.config import ConfigError
from dad_sfm.video.clips import read_clips
from dad_sfm.video.movies import import_videos


def test_videos_become_clips(tmp_path):
    av = pytest.importorskip("av", reason="PyAV is not installed")
    videos = tmp_path / "videos"
    videos.mkdir()
    with av.open(str(videos / "a.mp4"), "w") as video:
        stream = video.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 96
        for level in range(0, 250, 10):
            frame = av.VideoFrame.from_ndarray(np.full((96, 96, 3), level, np.uint8), "rgb24")
            video.mux(stream.encode(frame))
        video.mux(stream.encode())
    import_videos(videos, tmp_path / "data", "grey", length=10)
    (test,) = read_clips(tmp_path / "data", "test", "grey")
    train = read_clips(tmp_path / "data", "train", "grey")
    assert [len(clip.frames) for clip in (test, *train)] == [10, 10, 5]
    assert np.abs(train[1].frames[0].astype(int) - 200).max() < 12
    with pytest.raises(FileExistsError):
        import_videos(videos, tmp_path / "data", "grey")


def test_a_folder_without_videos_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no videos"):
        import_videos(tmp_path, tmp_path / "data", "x")
