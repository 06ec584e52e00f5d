"""All faults, and the page that says what came of them: ``make faults``.

Each part may run alone (``--part``); what was found is kept as JSON in the working folder, and the
page is made of all that is there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from time import monotonic

sys.path.insert(0, str(Path(__file__).parents[1]))

from faults import injection
from faults.forge import Forge
from faults.mutation import Verdict, attack
from faults.page import write_page
from faults.readers import make_targets
from faults.workload import Tally, make_reconstruction, make_steps

KB = 1 << 10


def every_write(forge: Forge, root: Path) -> dict[str, Tally]:
    """Death at every call that changes a file."""
    steps = make_steps(forge, root)
    return {
        name: injection.die_at_every_write(forge, step, root / "out")
        for name, step in steps.items()
    }


def random_moments(forge: Forge, root: Path) -> dict[str, Tally]:
    """Death at random moments."""
    steps = make_steps(forge, root)
    return {
        name: injection.die_at_random(forge, step, root / "out", times=100)
        for name, step in steps.items()
    }


def full_disk(forge: Forge, root: Path) -> dict[str, Tally]:
    """Every free size from 10 KB up in steps of a page, until the run fits."""
    steps = make_steps(forge, root)
    sizes = range(12 * KB, 80 * KB, 4 * KB)
    return {
        name: injection.fill_disk(forge, step, root / "disk", sizes) for name, step in steps.items()
    }


def surroundings(forge: Forge, root: Path) -> dict[str, Tally]:
    """Little memory; the output folder deleted in mid-run."""
    found = {}
    for name, step in make_steps(forge, root).items():
        memory = [*range(0, 4096 * KB, 256 * KB), *range(4096 * KB, 65536 * KB, 4096 * KB)]
        found[f"{name}: memory"] = injection.starve(forge, step, root / "out", memory)
        moments = [k / 50 for k in range(10)]
        found[f"{name}: folder"] = injection.delete_output(forge, step, root / "out", moments)
    return found


def reconstruction(forge: Forge, root: Path) -> dict[str, Tally]:
    """Verification and mapping: death at random moments and of workers, full disks."""
    step, out = make_reconstruction(forge, root), root / "out"
    sizes = [k * KB for k in (12, 48, 160, 384, 768, 1536)]
    return {
        "reconstruct: random moments": injection.die_at_random(forge, step, out, times=16),
        "reconstruct: workers": injection.lose_workers(forge, step, out, times=14),
        "reconstruct: full disk": injection.fill_disk(forge, step, root / "disk", sizes),
    }


def inputs(_: Forge, root: Path) -> dict[str, Verdict]:
    """Every reader with changed files."""
    return {
        name: attack(target, root / "work", 4_000 if "HDF5" in target.kind else 16_000)
        for name, target in make_targets(root / "seeds").items()
    }


PARTS: dict[str, Callable[[Forge, Path], Mapping[str, Tally | Verdict]]] = {
    "every write": every_write,
    "random moments": random_moments,
    "full disk": full_disk,
    "surroundings": surroundings,
    "reconstruction": reconstruction,
    "inputs": inputs,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", action="append", choices=PARTS, help="only this part")
    parser.add_argument("--work", type=Path, default=Path("outputs/faults"))
    parser.add_argument("--page", type=Path, default=Path("docs/reliability.md"))
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    root = options.work.resolve()
    results = root / "results.json"
    found = json.loads(results.read_text()) if results.exists() else {}
    with Forge(root) as forge:
        for part in options.part or PARTS:
            start = monotonic()
            tallies = PARTS[part](forge, root / part.replace(" ", "-"))
            found[part] = {name: asdict(tally) for name, tally in tallies.items()}
            results.write_text(json.dumps(found, indent=1))
            print(f"{part}: {monotonic() - start:.0f} s")
            for name, tally in tallies.items():
                counts = {k: v for k, v in asdict(tally).items() if k != "notes"}
                print(f"  {name}: {counts}", *tally.notes[:5], sep="\n    ")
    write_page(options.page, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
