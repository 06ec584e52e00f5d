import numpy as np
import pytest

from dad_sfm.colmap.significance import ESSENTIAL, FUNDAMENTAL, HOMOGRAPHY, log10_false_alarms

SIZE = (1000, 800)


def alarms(inliers, matches, geometry=FUNDAMENTAL, max_error_px=3.0, size=SIZE):
    return log10_false_alarms(inliers, matches, geometry, max_error_px=max_error_px, size=size)


def test_a_small_case_by_hand():
    """Six of seven matches, and a homography: 7-4 times C(7, 6) times C(6, 4) times p²."""
    p = np.pi * 3**2 / (1000 * 800)
    assert alarms(6, 7, HOMOGRAPHY) == pytest.approx(np.log10(3 * 7 * 15 * p**2))


def test_what_the_number_depends_on():
    assert alarms(40, 50) < alarms(40, 200) < alarms(40, 1000)  # more matches: likelier by chance
    assert alarms(60, 200) < alarms(40, 200) < alarms(20, 200)
    assert alarms(40, 200, max_error_px=1) < alarms(40, 200, max_error_px=5)
    assert alarms(40, 200, size=(4000, 3000)) < alarms(40, 200)
    assert alarms(40, 200, HOMOGRAPHY) < alarms(40, 200, ESSENTIAL) < alarms(40, 200)
    assert alarms(7, 500) > 0
    assert alarms(0, 1) >= 0


@pytest.mark.parametrize("matches", [40, 250, 1000])
def test_it_bounds_what_random_matches_reach(matches):
    """The best of many random fundamental matrices on random matches stays below the bound."""
    import pycolmap

    rng = np.random.default_rng(matches)
    camera = pycolmap.Camera(
        model="SIMPLE_PINHOLE", width=SIZE[0], height=SIZE[1], params=[1200, 500, 400]
    )
    rows = np.arange(matches, dtype=np.uint32)[:, None].repeat(2, axis=1)
    options = pycolmap.TwoViewGeometryOptions()
    options.ransac.max_error, options.ransac.random_seed = 3.0, 0
    options.ransac.max_num_trials = 3000
    for _ in range(3):
        points = rng.uniform(0, SIZE, (2, matches, 2))
        found = pycolmap.estimate_two_view_geometry(
            camera, points[0], camera, points[1], rows, options
        )
        assert alarms(len(found.inlier_matches), matches) > 0
    # And it is not far above: a third more than chance reaches is already significant.
    reach = next(k for k in range(8, matches + 1) if alarms(k, matches) < -6)
    assert reach < {40: 20, 250: 45, 1000: 90}[matches]
