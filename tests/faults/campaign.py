"""All faults, and the page that says what came of them: ``make faults``.

Each part may run alone (``--part``); the counts are kept as JSON beside the page, which is made of
all that is there.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from time import monotonic

sys.path.insert(0, str(Path(__file__).parents[1]))

from faults import injection
from faults.corpus import upload
from faults.forge import Forge
from faults.mutation import Verdict, attack
from faults.page import write_page
from faults.readers import make_targets
from faults.workload import Tally, make_reconstruction, make_steps

KB, MB = 1 << 10, 1 << 20


Found = Iterator[tuple[str, Tally | Verdict]]


def every_write(forge: Forge, root: Path) -> Found:
    """Death at every call that changes a file."""
    for name, step in make_steps(forge, root).items():
        yield name, injection.die_at_every_write(forge, step, root / "out")


def random_moments(forge: Forge, root: Path) -> Found:
    """Death at random moments."""
    for name, step in make_steps(forge, root).items():
        yield name, injection.die_at_random(forge, step, root / "out", times=100)


def full_disk(forge: Forge, root: Path) -> Found:
    """Every free size from 12 KB up in steps of a page, until the run fits."""
    sizes = range(12 * KB, 80 * KB, 4 * KB)
    for name, step in make_steps(forge, root).items():
        yield name, injection.fill_disk(forge, step, root / "disk", sizes)


def surroundings(forge: Forge, root: Path) -> Found:
    """Little memory, from the start and in mid-run; the output folder deleted, a photo changed."""
    out, moments = root / "out", [k / 10 for k in range(10)]
    for name, step in make_steps(forge, root).items():
        little = range(0, 80 * MB, 4 * MB)
        yield f"{name}: little memory", injection.starve(forge, step, out, little)
        left = (0, MB, 8 * MB, 33 * MB)
        yield f"{name}: memory taken away", injection.squeeze(forge, step, out, moments, left)
        yield f"{name}: folder deleted", injection.delete_output(forge, step, out, moments)
        if name == "extract":
            photo = root / "photos" / "3.png"
            yield (
                "extract: photo changed",
                injection.change_photo(forge, step, out, photo, moments),
            )


def reconstruction(forge: Forge, root: Path) -> Found:
    """Verification and mapping: death at random moments and of workers, full disks."""
    step, out = make_reconstruction(forge, root), root / "out"
    yield "random moments", injection.die_at_random(forge, step, out, times=16)
    yield "workers", injection.lose_workers(forge, step, out, times=14)
    sizes = [k * KB for k in (12, 48, 160, 384, 768, 1536)]
    yield "full disk", injection.fill_disk(forge, step, root / "disk", sizes)


def uploads(forge: Forge, root: Path) -> Found:
    """A corpus of photos from strangers, through the commands."""
    yield from upload(forge, root)


def inputs(_: Forge, root: Path) -> Found:
    """Every reader with changed files."""
    for name, target in make_targets(root / "seeds").items():
        yield name, attack(target, root / "work", 4_000 if "HDF5" in target.kind else 16_000)


PARTS: dict[str, Callable[[Forge, Path], Found]] = {
    "every write": every_write,
    "random moments": random_moments,
    "full disk": full_disk,
    "surroundings": surroundings,
    "reconstruction": reconstruction,
    "uploads": uploads,
    "inputs": inputs,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", action="append", choices=PARTS, help="only this part")
    parser.add_argument("--work", type=Path, default=Path("outputs/faults"))
    parser.add_argument("--results", type=Path, default=Path("docs/results/faults.json"))
    parser.add_argument("--page", type=Path, default=Path("docs/reliability.md"))
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    root = options.work.resolve()
    results = options.results
    found = json.loads(results.read_text()) if results.exists() else {}
    found["machine"] = f"{platform.system()}, Python {platform.python_version()}"
    with Forge(root) as forge:
        for part in options.part or PARTS:
            folder = root / part.replace(" ", "-")
            shutil.rmtree(folder, ignore_errors=True)
            found[part] = {}
            start = monotonic()
            for name, tally in PARTS[part](forge, folder):
                found[part][name] = counts = asdict(tally)
                results.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
                shown = {k: v for k, v in counts.items() if k != "notes"}
                print(f"{part}, {name} ({monotonic() - start:.0f} s so far): {shown}", flush=True)
                print(*(f"    {note}" for note in tally.notes[:5]), sep="\n", flush=True)
    write_page(options.page, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
