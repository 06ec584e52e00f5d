"""Many images through extraction, sequential pairs, matching and the database, with memory and
cost per image as they go: flat, or something leaks."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from faults.workload import FEATURES, make_photos

MB = 1 << 20


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


class Probe:
    """Samples memory, and how far an output has grown, while a step runs."""

    def __init__(self, progress: Callable[[], int]) -> None:
        self._progress, self._stop = progress, threading.Event()
        self.samples: list[tuple[float, int, int]] = []

    def __enter__(self) -> Probe:
        self._start = time.monotonic()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._start
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.5):
            now = time.monotonic() - self._start
            self.samples.append((now, self._progress(), resident()))

    def summary(self, count: int) -> dict[str, float]:
        """Memory and speed of the second and of the last quarter."""
        times, sizes, memory = (np.array(column) for column in zip(*self.samples, strict=True))
        share = sizes / max(1, sizes.max())
        found = {"seconds": round(self.seconds, 1), "ms per item": 1000 * self.seconds / count}
        for name, low, high in (("2nd quarter", 0.25, 0.5), ("last quarter", 0.75, 1.0)):
            inside = (share >= low) & (share <= high)
            if inside.sum() > 1:
                spent = times[inside].max() - times[inside].min()
                done = (share[inside].max() - share[inside].min()) * count
                found[f"{name}: MB"] = round(float(memory[inside].max()) / MB)
                found[f"{name}: ms per item"] = 1000 * float(spent) / max(done, 1)
        return {name: round(value, 2) for name, value in found.items()}


def size_of(path: Path) -> Callable[[], int]:
    return lambda: path.stat().st_size if path.exists() else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--overlap", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path("outputs/soak"))
    options = parser.parse_args()

    from dad_sfm import database, extract_features, match_features, pairs
    from dad_sfm.descriptors import DESCRIPTORS
    from dad_sfm.detectors import DETECTORS
    from dad_sfm.io.store import FeatureReader

    DETECTORS.add("bright-dots", "fakes:BrightDots")
    DESCRIPTORS.add("position", "fakes:Position")
    root, count = options.work, options.images
    shutil.rmtree(root, ignore_errors=True)
    photos = make_photos(root / "photos", count)
    features, matches = root / "features.h5", root / "matches.h5"
    found: dict[str, object] = {"images": count}
    with Probe(size_of(root / "features.h5.journal")) as probe:
        extract_features.main(
            extract_features.preset(FEATURES), photos, feature_path=features, device="cpu"
        )
    found["extract"] = probe.summary(count)
    start = time.monotonic()
    with FeatureReader(features) as reader:
        names = reader.names()
    found["open and list, seconds"] = round(time.monotonic() - start, 2)
    paired = pairs.main(
        root / "pairs.txt",
        names,
        strategy="sequential",
        overlap=options.overlap,
        quadratic=False,
    )
    number = len(paired.read_text().splitlines())
    found["pairs"] = number
    with Probe(size_of(root / "matches.h5.journal")) as probe:
        match_features.main(
            match_features.confs["NN-mutual"], paired, features, matches=matches, device="cpu"
        )
    found["match"] = probe.summary(number)
    with Probe(size_of(root / "database.db.partial")) as probe:
        database.main(root / "database.db", photos, features, paired, matches)
    found["database"] = probe.summary(number)
    (root / "soak.json").write_text(json.dumps(found, indent=1))
    print(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
