"""Steps for tests of the Ray engine, in a module that Ray's workers can import.

As a script: a driver that extracts ``photos`` of a folder on the cluster of ``RAY_ADDRESS``.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from dot_pictures import described
from fakes import BrightDots

from dad_sfm import extract_features
from dad_sfm.descriptors import DESCRIPTORS
from dad_sfm.detectors import DETECTORS


class MortalDots(BrightDots):
    """Notes each image in a file; kills its process at the sixth, the first time only."""

    def __call__(self, images: Any, *masks: Any) -> Any:
        folder = Path(os.environ["RAY_TEST_FOLDER"])
        with (folder / "calls").open("a") as file:
            file.write(f"{os.getpid()}\n")
        self.count = getattr(self, "count", 0) + 1
        if self.count == 6:
            try:
                (folder / "killed").touch(exist_ok=False)
            except FileExistsError:
                return super().__call__(images, *masks)
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(images, *masks)


def extract_dots(image_dir: Path, feature_path: Path, folder: Path, **options: Any) -> Path:
    """`extract_features.main`, in which the first process that has seen five images dies."""
    os.environ["RAY_TEST_FOLDER"] = str(folder)
    DETECTORS.add("bright-dots", "ray_steps:MortalDots")
    DESCRIPTORS.add("position", "fakes:Position")
    return extract_features.main(described(), image_dir, feature_path=feature_path, **options)


class SlowDots(BrightDots):
    """Notes each image in a file, and takes its time."""

    def __call__(self, images: Any, *masks: Any) -> Any:
        with Path(os.environ["RAY_TEST_FOLDER"], "calls").open("a") as file:
            file.write(f"{os.getpid()}\n")
        time.sleep(0.3)
        return super().__call__(images, *masks)


def extract_slowly(image_dir: Path, feature_path: Path, folder: Path, **options: Any) -> Path:
    """`extract_features.main`, at leisure."""
    os.environ["RAY_TEST_FOLDER"] = str(folder)
    DETECTORS.add("bright-dots", "ray_steps:SlowDots")
    DESCRIPTORS.add("position", "fakes:Position")
    return extract_features.main(described(), image_dir, feature_path=feature_path, **options)


if __name__ == "__main__":
    import ray_steps  # what is pickled is to be found there

    from dad_sfm.execution.ray_engine import run_on_ray

    root = Path(sys.argv[1])
    step = partial(ray_steps.extract_slowly, root / "photos", root / "features.h5", root)
    run_on_ray(step, root / "features.h5", shards=2, device="cpu")
