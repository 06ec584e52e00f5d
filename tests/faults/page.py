"""The page of reliability, from what the faults have led to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_FAULTS = {
    "every write": "Death at every call that changes a file, and in the middle of it",
    "random moments": "Death at random moments, half of the runs killed again and again",
    "full disk": "Disks of every free size from 12 KB up in steps of 4 KB",
    "surroundings": "Little memory, memory taken away, OUT deleted, a photo changed in mid-run",
    "reconstruction": "Verification and mapping: killed, their workers killed, disks full",
    "uploads": "A corpus of photos from strangers, through the commands",
}
_BAD = ("unreadable", "refused", "wrong", "crashed", "tracebacks")
_TOP = """# Reliability

Made by `make faults` ({machine}), which counts each row by itself and goes on where it was
interrupted; the last column is the commit that a row is of. What was seen is in
`docs/results/faults.json`. Every fault but uploads is followed by an inspection of what it left and
by a clean rerun, whose output is compared with that of an uninterrupted run.

**Faults injected: {faults:,}. Survived: {survived:,}. Items lost (unreadable or wrong): {lost:,}.**

**Inputs tried: {inputs:,}. Tracebacks: {tracebacks:,}. Crashes: {crashes:,}. Hangs: {hangs:,}.
Writes outside: {outside:,}.**
"""
_MEANING = """
- *unreadable*: what the fault left could not be read, or held other arrays than an uninterrupted
  run writes.
- *refused*: the rerun, with the fault gone, did not end with exit code 0; or the run itself did not
  say in a sentence what was wrong (a full disk, a dead worker, a photo).
- *wrong*: the rerun's file is not that of an uninterrupted run, or something was written outside of
  the output folder.
- *crashed*: the run was killed by a signal that the test did not send, or hung.
- *aborted* is not counted as a failure: a library (HDF5, the C++ runtime) ended the run because
  memory was taken away from it while it ran. Nothing can catch that in the process; nothing was
  lost, and the rerun resumed.
"""
_READERS = """
## Readers and damaged files

Valid files with bits flipped, bytes changed, lengths made absurd, pieces moved, ends cut off
(`tests/faults/mutation.py`), read with 2 GB of memory and 10 seconds each. A reader may say no
with its own error; *outside* are files that were opened for writing, made or removed elsewhere.
Feature and match files are ours, ours of format version 1, whose texts lie in heaps on which HDF5
itself would hang, and files in HDF5's oldest format.
"""


def write_page(path: Path, found: dict[str, Any]) -> None:
    """Write docs/reliability.md from the counts by part and kind."""
    faults = [tally for part in _FAULTS for tally in found.get(part, {}).values()]
    inputs = list(found.get("inputs", {}).values())
    total = sum(t["faults"] for t in faults)
    lost = sum(t[kind] for t in faults for kind in ("unreadable", "wrong"))
    survived = total - sum(t[kind] for t in faults for kind in _BAD)
    sums = {
        kind: sum(v[kind] for v in inputs)
        for kind in ("inputs", "tracebacks", "crashes", "hangs", "outside")
    }
    lines = [
        _TOP.format(
            machine=found.get("machine", "on an unknown machine"),
            faults=total,
            survived=survived,
            lost=lost,
            **sums,
        )
    ]
    for part, title in _FAULTS.items():
        if part in found:
            lines += [f"## {title}", "", *_table(found[part], ("faults", *_BAD, "aborted")), ""]
    missing = [title for part, title in _FAULTS.items() if part not in found]
    if missing:
        lines += [f"Not in these counts: {'; '.join(missing).lower()}.", ""]
    lines += [_MEANING.strip(), _READERS]
    lines += _table(found.get("inputs", {}), tuple(sums))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _table(tallies: dict[str, Any], columns: tuple[str, ...]) -> list[str]:
    rows = [f"| | {' | '.join(columns)} | commit |", f"|---|{'---:|' * len(columns)}---|"]
    for name, tally in tallies.items():
        counts = " | ".join(f"{tally[c]:,}" for c in columns)
        rows.append(f"| {name} | {counts} | {tally['commit']} |")
    return rows
