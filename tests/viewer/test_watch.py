"""What a folder holds, while a run writes it and after."""

import numpy as np
import pytest

from dad_sfm.core.types import Features, Matches
from dad_sfm.io.ownership import under_way
from dad_sfm.io.store import FeatureWriter, MatchWriter
from dad_sfm.viewer.watch import Moment, Watch

ONE = Features(np.zeros((1, 2), "f4"), np.ones(1, "f4"), (8, 8))


def model(folder):
    folder.mkdir(parents=True)
    for name in ("cameras", "images", "points3D"):
        (folder / f"{name}.txt").touch()
    return folder


def test_features_and_matches_are_counted_while_they_are_written(tmp_path):
    watch = Watch(tmp_path, wait=True)
    assert watch.look() == Moment(0, None, 0, None, running=False)
    under_way(tmp_path).pairs.parent.mkdir()
    with FeatureWriter(tmp_path / "features.h5", provenance={}) as writer:
        writer.write("a.png", ONE)
        writer.write("b.png", ONE)
        assert watch.look() == Moment(2, "b.png", 0, None, running=True)
        assert watch.look() == Moment(2, None, 0, None, running=True)
    assert watch.look() == Moment(2, None, 0, None, running=True)
    with MatchWriter(tmp_path / "matches.h5", provenance={}) as matches:
        matches.write("a.png", "b.png", Matches(np.zeros(1, "i4"), np.ones(1, "f4")))
        assert watch.look().pairs == 1


def test_the_newest_model_is_that_of_the_run_under_way(tmp_path):
    old = model(tmp_path / "sparse" / "0")
    watch = Watch(tmp_path)
    assert watch.look().model == old
    new = model(under_way(tmp_path).sparse / "0")
    assert watch.look().model == new


def test_a_model_alone(tmp_path):
    assert Watch(model(tmp_path / "m")).look().model == tmp_path / "m"


def test_a_folder_without_a_model_is_refused_unless_it_is_waited_for(tmp_path):
    with pytest.raises(FileNotFoundError, match="no model in"):
        Watch(tmp_path)
