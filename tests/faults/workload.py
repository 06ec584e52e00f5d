"""Small runs of the steps, what they leave, and what is wrong with what a fault has left."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
from faults.forge import Forge, Outcome
from PIL import Image
from projected import make_scene

from dad_sfm.colmap.model import read_model
from dad_sfm.io.store import StoreError
from dad_sfm.io.store.integrity import _whole_entries
from dad_sfm.io.store.layers import opened

FEATURES = "bright-dots+position"


@dataclass
class Tally:
    """What came of the faults of one kind.  Everything but ``faults`` should be 0.

    unreadable  files of a run that was cut off that could not be read, or held wrong arrays
    refused     reruns that did not end with exit code 0
    wrong       reruns whose files are not those of an uninterrupted run
    crashed     runs that ended by a signal that nobody sent, or hung
    tracebacks  runs that ended in one
    aborted     not a fault of ours: runs that a library ended, because memory was taken away from
                them while they ran.  Nothing can catch that; what was written must count
    """

    faults: int = 0
    unreadable: int = 0
    refused: int = 0
    wrong: int = 0
    crashed: int = 0
    tracebacks: int = 0
    aborted: int = 0
    notes: list[str] = field(default_factory=list)

    def note(self, kind: str, where: str, text: str = "") -> None:
        setattr(self, kind, getattr(self, kind) + 1)
        self.notes.append(f"{kind}: {where}: {text[-400:]}")

    def add(self, outcome: Outcome, where: str) -> None:
        """Take a run into account that a fault was injected into."""
        self.faults += 1
        self.judge(outcome, where)

    def judge(self, outcome: Outcome, where: str) -> None:
        if outcome.crashed:
            self.note("crashed", where, f"{outcome.code} {outcome.text}")
        if outcome.traceback:
            self.note("tracebacks", where, outcome.text)


Contents = dict[str, int]  # checksum by entry


def contents(path: Path, damaged: dict[str, str] | None = None) -> Contents:
    """What a file holds, the journal of a run that was cut off included."""
    found: dict[str, str] = {} if damaged is None else damaged
    with opened(path) as file:
        held = {key: entry.checksum() for key, entry in _whole_entries(file, found)}
    if found and damaged is None:
        raise StoreError(str(found))
    return held


@dataclass
class Step:
    """A command that writes one file.

    argv   of the command, in which ``OUT`` stands for the output folder
    name   of the file in that folder
    given  files that are in the folder when it starts
    """

    argv: Sequence[object]
    name: str
    given: Sequence[Path] = ()
    expected: Contents = field(default_factory=dict)

    def prepare(self, out: Path) -> Path:
        """Empty the output folder, except for what is given."""
        for path in out.glob("*") if out.exists() else ():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        out.mkdir(exist_ok=True, parents=True)
        for path in self.given:
            shutil.copy(path, out / path.name)
        return out / self.name

    def command(self, out: Path) -> list[str]:
        return [str(a).replace("OUT", str(out)) for a in self.argv]

    def check_left(self, out: Path, tally: Tally, where: str) -> None:
        """After a fault: what is there can be read, and is what an uninterrupted run writes."""
        path = out / self.name
        try:
            if path.exists():
                with h5py.File(path) as file:
                    file.visititems(lambda _, item: item[()] if hasattr(item, "shape") else None)
            held = contents(path)
        except FileNotFoundError:
            return
        except (StoreError, OSError, RuntimeError, KeyError, ValueError) as error:
            tally.note("unreadable", where, str(error))
            return
        if not held.items() <= self.expected.items():
            tally.note("unreadable", where, "wrong arrays")

    def rerun(self, forge: Forge, out: Path, tally: Tally, where: str) -> None:
        """Run again without a fault, and compare with an uninterrupted run."""
        outcome = forge.run(*self.command(out))
        tally.judge(outcome, f"rerun after {where}")
        if outcome.code != 0:
            tally.note("refused", where, outcome.text)
            return
        try:
            if contents(out / self.name) != self.expected:
                tally.note("wrong", where)
        except (StoreError, FileNotFoundError) as error:
            tally.note("wrong", where, str(error))


def make_photos(folder: Path, count: int = 8, size: tuple[int, int] = (128, 96)) -> Path:
    """Photos of bright dots."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for k in range(count):
        pixels = np.zeros((size[1], size[0]), np.uint8)
        for x, y in zip(
            rng.integers(8, size[0] - 8, 12), rng.integers(8, size[1] - 8, 12), strict=True
        ):
            pixels[y : y + 4, x : x + 4] = 255
        Image.fromarray(pixels).save(folder / f"{k}.png")
    return folder


def make_steps(forge: Forge, root: Path) -> dict[str, Step]:
    """Extraction and matching, each from nothing and added to a file that is there."""
    photos, base = make_photos(root / "photos"), root / "base"
    features, matches, pairs = (base / n for n in ("features.h5", "matches.h5", "pairs.txt"))
    half_features, half_matches = (root / "half" / n for n in ("features.h5", "matches.h5"))
    first = root / "first.txt"
    first.write_text("\n".join(f"{k}.png" for k in range(4)), encoding="utf-8")

    def must(*argv: object) -> None:
        outcome = forge.run(*argv)
        assert outcome.code == 0, outcome.text

    extract = ["extract", photos, "--features", FEATURES, "--feature-path"]
    must(*extract, features)
    must(*extract, half_features, "--image-list", first)
    must("pairs", pairs, "--feature-file", features)
    must("match", pairs, features, "--matches", matches)
    few = root / "few.txt"
    few.write_text("\n".join(pairs.read_text().splitlines()[:10]), encoding="utf-8")
    must("match", few, features, "--matches", half_matches)
    match = ["match", pairs, features, "--matches", "OUT/matches.h5"]
    done = contents(features), contents(matches)
    assert all(done)
    return {
        "extract": Step([*extract, "OUT/features.h5"], "features.h5", (), done[0]),
        "extract, more images": Step(
            [*extract, "OUT/features.h5"], "features.h5", (half_features,), done[0]
        ),
        "match": Step(match, "matches.h5", (), done[1]),
        "match, more pairs": Step(match, "matches.h5", (half_matches,), done[1]),
    }


class Reconstruction(Step):
    """Verification, mapping and report of a scene whose features and matches are given."""

    def check_left(self, out: Path, tally: Tally, where: str) -> None:
        """A report that is there is whole, and so is the model that it is about."""
        report = out / "report.json"
        try:
            if report.exists():
                json.loads(report.read_text())
            if (out / "sparse").exists():
                read_model(out / "sparse" / "0")
        except (ValueError, OSError) as error:
            tally.note("unreadable", where, str(error))

    def rerun(self, forge: Forge, out: Path, tally: Tally, where: str) -> None:
        outcome = forge.run(*self.command(out))
        tally.judge(outcome, f"rerun after {where}")
        if outcome.code != 0:
            tally.note("refused", where, outcome.text)
            return
        registered = set(read_model(out / "sparse" / "0").images)
        if registered != set(self.expected):
            tally.note("wrong", where, f"{len(registered)} images registered")


def make_reconstruction(forge: Forge, root: Path) -> Reconstruction:
    """A scene of projected points: eight cameras, features and matches that are known."""
    names = [f"{k}.png" for k in range(8)]
    scene = make_scene(root / "scene", [names], points=120, noise_px=0.3)
    found = scene.inputs
    step = Reconstruction(
        [
            *("reconstruct", found["image_dir"], "--out", "OUT", "--images", "none"),
            *("--feature-file", found["features"], "--match-file", found["matches"]),
            *("--pairs", found["pairs"], "--threads", 1),
        ],
        "report.json",
        (),
        dict.fromkeys(names, 0),
    )
    return step


def summary(tallies: dict[str, Tally]) -> Counter[str]:
    """Sums over tallies."""
    total: Counter[str] = Counter()
    for tally in tallies.values():
        for name, value in vars(tally).items():
            if isinstance(value, int):
                total[name] += value
    return total
