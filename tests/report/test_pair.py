"""Matches of a pair and their inliers, from the files of a run."""

import numpy as np
import pytest
from PIL import Image
from projected import make_scene

from dad_sfm import cli, database
from dad_sfm.core.types import Matches
from dad_sfm.io.output import Output
from dad_sfm.io.store import FeatureReader, MatchReader, MatchWriter, StoreError
from dad_sfm.report.pair import read_pair

NAMES = ["a.png", "b.png", "c.png"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """Exact matches but for the first ten of a and b, the higher ones exchanged with the lower."""
    scene = make_scene(tmp_path_factory.mktemp("pair"), [NAMES])
    with MatchReader(scene.root / "matches.h5") as reader:
        matches = reader.read("a.png", "b.png")
    wrong = matches.matches0.copy()
    matched = np.flatnonzero(wrong >= 0)[:10]
    with FeatureReader(scene.root / "features.h5") as reader:
        height = reader.read("b.png").keypoints_px[wrong[matched], 1]
    order = matched[np.argsort(height)]
    wrong[order] = wrong[np.roll(order, 5)]
    with MatchWriter(scene.root / "matches.h5", provenance={}, overwrite=True) as writer:
        writer.write("a.png", "b.png", Matches(wrong, matches.scores0))
    (scene.root / "pairs.txt").write_text("a.png b.png\n")
    database.main(scene.root / "database.db", **scene.inputs)
    return scene


def test_inliers_are_told_from_outliers(scene):
    found = read_pair(Output(scene.root), "a.png", "b.png")
    assert len(found.inliers) >= 100
    assert found.inliers[:10].sum() <= 1  # a wrong point may lie on the epipolar line
    assert found.inliers[10:].mean() > 0.98
    np.testing.assert_array_equal(
        found.only("outliers").points0_px, found.points0_px[~found.inliers]
    )


def test_some_are_evenly_chosen(scene):
    found = read_pair(Output(scene.root), "a.png", "b.png")
    few = found.some(5)
    np.testing.assert_array_equal(few.points0_px[[0, -1]], found.points0_px[[0, -1]])
    assert len(few.inliers) == 5
    assert found.some(None) is found


def test_a_pair_that_is_not_there_is_named(scene):
    with pytest.raises(StoreError, match="no matches of the pair"):
        read_pair(Output(scene.root), "a.png", "c.png")


def test_the_command_draws_it(scene, tmp_path, capsys):
    picture = tmp_path / "m.png"
    line = ["figure", "matches", str(scene.root), "a.png", "b.png", str(picture), "--side", "200"]
    assert cli.main(line) == 0
    assert "inliers" in capsys.readouterr().out
    assert 400 < Image.open(picture).width < 410
