from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures with corners: overlapping polygons of many sizes."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for number in range(6):
        picture = Image.new("RGB", (220, 200), tuple(rng.integers(60, 200, 3)))
        draw = ImageDraw.Draw(picture)
        for _ in range(60):
            centre = rng.uniform(0, 220, 2)
            corners = centre + rng.normal(0, rng.uniform(8, 30), (4, 2))
            draw.polygon([tuple(c) for c in corners], fill=tuple(rng.integers(0, 256, 3)))
        picture.save(folder / f"{number}.png")
    return folder
