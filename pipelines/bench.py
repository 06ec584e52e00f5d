"""How fast extraction and matching are here, beside peers and plain loops in the same run.

    python pipelines/bench.py my_photos --repeats 5

One thread, a warm-up, medians; contenders take turns.  Writes one JSON file per machine and a
line of history into ``--out``, and prints the tables.  See docs/performance.md.
"""

import argparse
import logging
import sys
import tempfile
from pathlib import Path

import torch

from dad_sfm.benchmarks.speed import networks, results, sections, stubs
from dad_sfm.benchmarks.speed.extraction import Photos
from dad_sfm.benchmarks.speed.timing import Timing
from dad_sfm.core.arguments import count
from dad_sfm.core.device import choose_device
from dad_sfm.io.listing import select_images


def main() -> None:
    options = _options()
    logging.getLogger("dad_sfm").setLevel(logging.ERROR)
    device = choose_device(options.device)
    about = results.environment(str(device))
    by_the_clock = sections.BY_THE_CLOCK
    if device.type == "cpu":
        torch.set_num_threads(1)
    names = tuple(select_images(options.photos, None).names[: options.images])
    if not names:
        sys.exit(f"{options.photos}: no photos in it")
    found: dict[str, dict[str, Timing]] = {}
    with tempfile.TemporaryDirectory() as work:
        settings = sections.Settings(
            Photos(options.photos.resolve(), names, Path(work)),
            device,
            options.repeats,
            tuple(options.networks),
            tuple(options.points),
            tuple(options.sides),
            tuple(options.batches),
            options.against,
        )
        for section in options.sections:
            made = sections.run(section, settings)
            clock = list(made) if device.type != "cpu" else by_the_clock
            print("\n".join(results.report(made, sections.REFERENCES, clock)), flush=True)
            found |= {name: dict(timings) for name, timings in made.items()}
        if "curves" in options.sections:
            share = stubs.busy_share(
                settings.photos.work, images=200, network=0.01, decoding=0.03, workers=4
            )
            print(f"a device of 10 ms a photo works {share:.0%} of the time while 4 threads decode")
    if "networks" in options.sections:
        for name in options.networks:
            work_done = networks.work(name, sections.SIZE)
            print(
                f"{name}: {work_done.macs / 1e9:.1f} GMAC, {work_done.bytes / 2**20:.0f} MiB read "
                f"and written by its convolutions: {work_done.macs / work_done.bytes:.1f} MAC/byte"
            )
    name = results.machine_name(about)
    print("\n".join(results.slower(options.out, name, found)))
    print(results.write(options.out, name, found, about))


def _options() -> argparse.Namespace:
    every = tuple(sections.SECTIONS)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, help="folder of photos")
    parser.add_argument("--images", type=count, default=3, help="photos per repetition")
    parser.add_argument("--repeats", type=count, default=5)
    parser.add_argument("--sections", nargs="+", choices=every, default=every)
    parser.add_argument("--networks", nargs="+", default=["nano", "dad"])
    parser.add_argument("--points", nargs="+", type=count, default=[512, 2048, 8192])
    parser.add_argument("--sides", nargs="+", type=count, default=[640, 1024, 1600, 3200])
    parser.add_argument("--batches", nargs="+", type=count, default=[1, 2, 4, 8])
    parser.add_argument("--device", default="cpu", help="cpu, cuda or mps")
    parser.add_argument(
        "--against", type=Path, metavar="FOLDER", help="another checkout: photos to model, both"
    )
    parser.add_argument("--out", type=Path, default=Path("docs/results/speed"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
