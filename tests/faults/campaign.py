"""All faults, and the page that says what came of them: ``make faults``.

Each row of the page is counted by itself and kept, with the commit that it is of, as JSON beside
the page.  Started again, what is counted at this commit is not counted again; ``--part`` takes some
of the parts only, ``--missing`` only rows that have never been counted, ``--again`` all of them.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from time import monotonic

sys.path.insert(0, str(Path(__file__).parents[1]))

from faults import corpus, injection
from faults.forge import Forge
from faults.mutation import Verdict, attack
from faults.page import write_page
from faults.readers import make_targets
from faults.workload import Tally, make_reconstruction, make_steps

HERE = Path(__file__).parent
KB, MB = 1 << 10, 1 << 20


Found = Iterator[tuple[str, Callable[[], Tally | Verdict]]]


def every_write(forge: Forge, root: Path) -> Found:
    """Death at every call that changes a file."""
    for name, step in make_steps(forge, root).items():
        yield name, partial(injection.die_at_every_write, forge, step, root / "out")


def random_moments(forge: Forge, root: Path) -> Found:
    """Death at random moments."""
    for name, step in make_steps(forge, root).items():
        yield name, partial(injection.die_at_random, forge, step, root / "out", times=100)


def full_disk(forge: Forge, root: Path) -> Found:
    """Every free size from 12 KB up in steps of a page, until the run fits."""
    sizes = range(12 * KB, 80 * KB, 4 * KB)
    for name, step in make_steps(forge, root).items():
        yield name, partial(injection.fill_disk, forge, step, root / "disk", sizes)


def surroundings(forge: Forge, root: Path) -> Found:
    """Little memory, from the start and in mid-run; the output folder deleted, a photo changed."""
    moments, little = [k / 10 for k in range(10)], range(0, 80 * MB, 4 * MB)
    left, photo = (0, MB, 8 * MB, 33 * MB), root / "photos" / "3.png"
    for name, step in make_steps(forge, root).items():
        about = forge, step, root / "out"
        yield f"{name}: little memory", partial(injection.starve, *about, little)
        yield f"{name}: memory taken away", partial(injection.squeeze, *about, moments, left)
        yield f"{name}: folder deleted", partial(injection.delete_output, *about, moments)
        if name == "extract":
            yield "extract: photo changed", partial(injection.change_photo, *about, photo, moments)


def reconstruction(forge: Forge, root: Path) -> Found:
    """Verification and mapping: death at random moments and of workers, full disks."""
    step, out = make_reconstruction(forge, root), root / "out"
    yield "random moments", partial(injection.die_at_random, forge, step, out, times=16)
    yield "workers", partial(injection.lose_workers, forge, step, out, times=14)
    sizes = [k * KB for k in (12, 48, 160, 384, 768, 1536)]
    yield "full disk", partial(injection.fill_disk, forge, step, root / "disk", sizes)


def uploads(forge: Forge, root: Path) -> Found:
    """A corpus of photos from strangers, through the commands."""
    yield "damaged photos", partial(corpus.upload_damaged, forge, root)
    yield "names", partial(corpus.upload_names, forge, root)
    yield "all in one folder", partial(corpus.upload_all, forge, root)


def inputs(_: Forge, root: Path) -> Found:
    """Every reader with changed files, those of HDF5 with more of them."""
    for name, target in make_targets(root / "seeds").items():
        count = 40_000 if target.kind == "HDF5" else 16_000
        yield name, partial(attack, target, root / "work", count)


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
    parser.add_argument("--missing", action="store_true", help="only what was never counted")
    parser.add_argument("--again", action="store_true", help="also what this commit has counted")
    parser.add_argument("--work", type=Path, default=Path("outputs/faults"))
    parser.add_argument("--results", type=Path, default=Path("docs/results/faults.json"))
    parser.add_argument("--page", type=Path, default=Path("docs/reliability.md"))
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    root, commit, results = options.work.resolve(), commit_of_this(), options.results
    found = json.loads(results.read_text()) if results.exists() else {}
    found["machine"] = f"{platform.system()}, Python {platform.python_version()}"

    def is_done(part: str, name: str) -> bool:
        counts = found[part].get(name)
        if counts is None or options.again:
            return False
        return options.missing or counts["commit"] == commit

    with Forge(root) as forge:
        for part in options.part or PARTS:
            folder = root / part.replace(" ", "-")
            shutil.rmtree(folder, ignore_errors=True)
            found.setdefault(part, {})
            for name, measure in PARTS[part](forge, folder):
                if is_done(part, name):
                    continue
                start = monotonic()
                tally = measure()
                found[part][name] = {**asdict(tally), "commit": commit}
                results.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
                write_page(options.page, found)
                shown = {k: v for k, v in asdict(tally).items() if k != "notes"}
                print(f"{part}, {name} ({monotonic() - start:.0f} s): {shown}", flush=True)
                print(*(f"    {note}" for note in tally.notes[:5]), sep="\n", flush=True)
    write_page(options.page, found)
    return 0


def commit_of_this() -> str:
    """The commit of the code under test, with a + where files differ from it."""

    def git(*argv: str) -> str:
        done = subprocess.run(["git", *argv], cwd=HERE, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    changed = git("status", "--porcelain", "-uno", ":/dad_sfm", ":/tests/faults")
    return git("rev-parse", "--short=7", "HEAD") + ("+" if changed else "")


if __name__ == "__main__":
    sys.exit(main())
