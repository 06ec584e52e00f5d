"""What a merge costs: processor time and memory, of more and more images in 16 shards.

python tests/faults/merge_cost.py --images 1000 2000 4000 8000
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import sys
import time
from pathlib import Path

import numpy as np

from dad_sfm.core.types import Features
from dad_sfm.io.store import FeatureWriter, merge

SHARDS = 16
POINTS = 256
MADE = {"made": "by merge_cost"}


def write_shards(root: Path, images: int) -> list[Path]:
    """Feature files of images of which each has points of its own."""
    rng = np.random.default_rng(0)
    paths = [root / f"features.{k + 1:02}-of-{SHARDS}.h5" for k in range(SHARDS)]
    for k, path in enumerate(paths):
        with FeatureWriter(path, MADE) as writer:
            for image in range(k, images, SHARDS):
                points = rng.random((POINTS, 2)).astype(np.float32) * 1000
                found = Features(
                    points, np.ones(POINTS, np.float32), (1000, 1000), rng.random((POINTS, 128))
                )
                writer.write(f"{image % 100:02}/{image:08}.jpg", found, source=f"sha256:{image}")
    return paths


def measure(root: Path, images: int) -> None:
    """Merge in a process of its own, and print what it took."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    paths = write_shards(root, images)
    size = sum(path.stat().st_size for path in paths)
    pid = os.fork()
    if pid == 0:
        before, start = resident(), time.process_time()
        merge(root / "features.h5", paths)
        seconds = time.process_time() - start
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
        print(
            f"{images:,} images, {size / 1e9:.2f} GB: {seconds:.1f} s of the processor "
            f"({1000 * seconds / images:.2f} ms an image), {grown:.0f} MB of memory",
            flush=True,
        )
        os._exit(0)
    if os.waitpid(pid, 0)[1]:
        sys.exit("the merge has failed")
    shutil.rmtree(root)


def resident() -> float:
    """MB that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / (1 << 20)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, nargs="+", default=[1_000, 2_000, 4_000, 8_000])
    parser.add_argument("--work", type=Path, default=Path("outputs/merge"))
    options = parser.parse_args()
    for images in options.images:
        measure(options.work, images)


if __name__ == "__main__":
    main()
