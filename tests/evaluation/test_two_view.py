import numpy as np
import pytest
from projected import make_scene

from dad_sfm.core.types import Matches
from dad_sfm.evaluation.pose_task import overlapping_pairs
from dad_sfm.evaluation.two_view import TwoView, evaluate
from dad_sfm.io.colmap_text import write_text_model
from dad_sfm.io.store import MatchWriter

NAMES = ["a.png", "b.png", "c.png", "d.png"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    scene = make_scene(tmp_path_factory.mktemp("scene"), [NAMES], noise_px=0.1)
    write_text_model(scene.root / "gt", scene.gt.cameras, scene.gt.images.values())
    return scene


def test_good_matches_give_good_poses(scene):
    found = evaluate(scene.root / "features.h5", scene.root / "matches.h5", scene.root / "gt")
    assert found.errors_deg.shape == (6, 3)
    assert found.errors_deg.max() < 0.5  # half a pixel off would not be: 0.5 / 900 rad = 0.03°
    assert np.median(found.errors_deg) < 0.1
    assert min(found.matches) > 100
    assert found.auc()[0] > 0.9


@pytest.mark.slow
def test_bad_matches_do_not(scene, tmp_path):
    rng = np.random.default_rng(0)
    with MatchWriter(tmp_path / "matches.h5", {}) as writer:
        for a, b in [("a.png", "b.png"), ("c.png", "d.png")]:
            n0, n1 = len(scene.points_px[a]), len(scene.points_px[b])
            matches0 = rng.integers(0, n1, n0).astype(np.int32)
            if a == "c.png":
                matches0[4:] = -1  # four matches are too few for any pose
            writer.write(a, b, Matches(matches0, np.ones(n0, np.float32)))
    found = evaluate(scene.root / "features.h5", tmp_path / "matches.h5", scene.root / "gt")
    errors = dict(zip(found.pairs, found.errors_deg, strict=True))
    assert np.isinf(errors["c.png", "d.png"]).all()
    assert np.isinf(errors["a.png", "c.png"]).all()  # no entry at all
    assert found.auc()[0] < 0.05


def test_only_images_that_look_the_same_way_are_compared(scene):
    axes = [scene.gt.images[n].rotation[2] for n in NAMES]
    wide = overlapping_pairs(scene.gt, max_axis_deg=180)
    assert len(wide) == 6
    apart = np.degrees(np.arccos(axes[0] @ axes[3]))
    near = overlapping_pairs(scene.gt, max_axis_deg=apart - 0.1)
    assert ("a.png", "d.png") not in near
    assert ("a.png", "b.png") in near
    conf = TwoView(max_axis_deg=1e-6)
    with pytest.raises(ValueError, match="similar directions"):
        evaluate(scene.root / "features.h5", scene.root / "matches.h5", scene.root / "gt", conf)
