"""What `make bench` times, a section each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from ... import extract_features
from ...execution.heap import kept_heap
from . import commands, cores, extraction, matching, networks, stubs
from .extraction import Photos
from .results import Sections
from .timing import Timing, interleaved

DEFAULT = "dad-nano+rootsift"
PRESETS = (
    DEFAULT,
    "dad-nano",
    "dad-nano+hypercolumn",
    "dad-nano-x4+rootsift",
    "edgepoint2-e64",
    "dad-nano+aliked-n16",
)
DESCRIBING = ("dad-nano", "dad-nano+hypercolumn", DEFAULT, "edgepoint2-e64", "aliked-n16")
SIZE = (1024, 680)  # of the networks' images


@dataclass(frozen=True)
class Settings:
    """What every section is given.

    networks, points, sides, batches  values of the curves
    against  another checkout of this project, for the section "end to end"
    """

    photos: Photos
    device: torch.device
    repeats: int
    networks: tuple[str, ...]
    points: tuple[int, ...]
    sides: tuple[int, ...]
    batches: tuple[int, ...]
    against: Path | None

    @property
    def on_cpu(self) -> bool:
        return self.device.type == "cpu"


def run(section: str, settings: Settings) -> Sections:
    """The tables of a section, each with its timings."""
    return SECTIONS[section](settings)


def _extraction(s: Settings) -> Sections:
    workers = 1 if s.on_cpu else None
    runs = extraction.presets(s.photos, PRESETS, device=str(s.device), workers=workers)
    if s.on_cpu:
        runs |= extraction.peers(s.photos)
    return {"extraction": interleaved(runs, items=len(s.photos.names), repeats=s.repeats)}


def _describing(s: Settings) -> Sections:
    runs = extraction.decoded(s.photos, DESCRIBING)
    return {"detecting and describing": interleaved(runs, repeats=s.repeats)}


def _full(s: Settings) -> Sections:
    # The engine's memory grows with the first photo of a run only.
    photos = Photos(s.photos.image_dir, s.photos.names[:1] * 4, s.photos.work)
    runs = extraction.full_network(photos, device=str(s.device))
    items = len(photos.names)
    return {"the published network": interleaved(runs, items=items, repeats=s.repeats)}


def _stages(s: Settings) -> Sections:
    with kept_heap():  # as in a run of the engine
        return {"stages": extraction.stages(s.photos, DEFAULT, repeats=s.repeats)}


def _networks(s: Settings) -> Sections:
    found: dict[str, Timing] = {}
    for name in s.networks:
        for batch in (1,) if s.on_cpu else s.batches:
            with kept_heap():
                found |= networks.networks(
                    name, SIZE, device=s.device, batch=batch, repeats=s.repeats
                )
    return {"networks": found}


def _matching(s: Settings) -> Sections:
    return {
        f"matching, {n} points": matching.matching(
            s.photos.work, n, pairs=max(2, 100 * 2048 // max(n, 2048)), repeats=s.repeats
        )
        for n in s.points
    }


def _cores(s: Settings) -> Sections:
    # Many, so that a run's start and end weigh little.
    photos = Photos(s.photos.image_dir, s.photos.names[:1] * 24, s.photos.work)
    conf = extract_features.preset(DEFAULT)

    def extract(workers: int) -> None:
        runs[workers]()

    counts = (0, 1, 2)
    features, pairs = matching.drawn(s.photos.work, 2048, 100)
    match = matching.engine(s.photos.work, features, pairs)
    torch.set_num_threads(2)  # what torch does without workers
    try:
        runs = {n: extraction.engine(photos, conf, workers=n) for n in counts}
        return {
            "cores, extraction": cores.by_workers(
                extract, counts, items=len(photos.names), repeats=s.repeats
            ),
            "cores, matching": cores.by_workers(match, counts, items=len(pairs), repeats=s.repeats),
        }
    finally:
        torch.set_num_threads(1)


def _curves(s: Settings) -> Sections:
    options = {"keypoints": s.points, "long side": s.sides, "batch": s.batches}
    how = {"device": str(s.device), "workers": 1 if s.on_cpu else None}
    counts = (100, 1000, 10_000)
    return {
        **{
            f"by {name}": extraction.by_options(
                s.photos, DEFAULT, {name: values}, repeats=s.repeats, **how
            )
            for name, values in options.items()
        },
        "by images, without decoding and network": stubs.pipeline_cost(
            s.photos.work, counts, repeats=1
        ),
    }


def _commands(s: Settings) -> Sections:
    found: dict[str, dict[str, Timing]] = {
        "start": commands.start_up(s.photos.image_dir, s.photos.work, repeats=s.repeats)
    }
    if s.against is not None:
        checkouts = {"this checkout": commands.CHECKOUT, "the other": s.against}
        found["end to end"] = commands.reconstructions(
            s.photos.image_dir, checkouts, s.photos.work, repeats=s.repeats
        )
    return found


SECTIONS: dict[str, Callable[[Settings], Sections]] = {
    "extraction": _extraction,
    "describing": _describing,
    "full": _full,
    "stages": _stages,
    "networks": _networks,
    "matching": _matching,
    "cores": _cores,
    "curves": _curves,
    "commands": _commands,
}
# What the ratios of a table are to; of the others, to the first line.
REFERENCES = {"stages": "network"}
# Measured by the clock: several threads, or other processes.
BY_THE_CLOCK = ("cores, extraction", "cores, matching", "start", "end to end")
