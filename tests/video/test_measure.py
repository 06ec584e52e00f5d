import math

import numpy as np

from dad_sfm.video.measure import fixed_points

NOWHERE = (math.nan, math.nan)


def test_fixed_points_lie_where_most_sprites_are():
    often, seldom = (10.0, 10.0), (50.0, 20.0)
    sprites = np.array([[often, seldom], [often, NOWHERE], [(11.0, 10.0), NOWHERE]])
    assert fixed_points(sprites, 2, radius_px=2).tolist() in (
        [[10, 10], [50, 20]],
        [[11, 10], [50, 20]],
    )
