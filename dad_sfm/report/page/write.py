"""Put the page together from the report and the files that it is of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from ...colmap.model import read_model
from ...geometry.cameras import CameraModel
from ...io.output import Output
from ..document import Report
from . import details, overview
from .coverage import coverage_maps
from .evidence import Evidence, read_evidence
from .graph import view_graph
from .histogram import histogram
from .missing import missing_section
from .payload import Payload
from .photos import SmallPhoto
from .shell import assembled
from .top_view import top_view
from .truth import error_section, in_frame_of


def write_page(
    report: Report,
    out: Path | str | Output,
    gt: Path | str | None = None,
    photos: Mapping[str, SmallPhoto] = MappingProxyType({}),
) -> Path:
    """Write ``report.html`` into the output folder that the report is of; returns its path.

    gt      folder of the model of the true cameras, to draw them beside those that were found
    photos  small ones that were made before, see `photos_ahead`
    """
    files = Output.of(out)
    evidence = read_evidence(report, files)
    model = read_model(files.models()[0]) if report.models else None
    truth = in_frame_of(model, read_model(gt)) if model and gt is not None else None
    payload = Payload(report, files, evidence, model, truth, photos)
    page = assembled(
        report.scene,
        _sections(report, files, evidence, model),
        payload.blobs() if evidence.images else (),
    )
    partial = files.page.with_name(f"{files.page.name}.partial")
    partial.write_text(page, encoding="utf-8")
    partial.replace(files.page)
    return files.page


def _sections(
    report: Report, files: Output, evidence: Evidence, model: CameraModel | None
) -> Iterator[str]:
    yield overview.head(report)
    yield overview.cards(report)
    yield missing_section(report, files.root)
    yield _look(evidence, model) if evidence.images else ""
    yield _pairs(report) if report.pairs else ""
    yield _distributions(report, evidence)
    yield error_section(report)
    yield details.images_section(report, evidence)
    yield details.left_out_section(report)
    yield overview.warnings(report)
    yield overview.times(report)
    yield details.provenance_section(report)


def _look(evidence: Evidence, model: CameraModel | None) -> str:
    """The 3D view and a photo beside it; without scripts and on paper, the model from above."""
    photo = '<div class="needs-script"><h3>Photo and keypoints</h3><div id="photo"></div></div>'
    if model is None or evidence.points is None:
        return f'<h2 id="look">Look</h2>{photo}'
    points = evidence.points
    world = (
        '<div><div id="world" class="needs-script"><h3>Cameras and points</h3>'
        '<div class="stage"></div></div><div class="still"><h3>From above</h3>'
        f"{top_view(model, points.xyz, points.colours)}</div></div>"
    )
    return f'<h2 id="look">Look</h2><div class="two wide">{world}{photo}</div>'


def _pairs(report: Report) -> str:
    graph = view_graph(report)
    figures = f'<div class="still-or-live"><h3>View graph</h3>{graph}</div>' if graph else ""
    return (
        '<h2 id="matches">Pairs</h2><div class="two narrow needs-script">'
        '<div><h3>Inliers of each pair</h3><div id="matrix"></div></div>'
        f'<div><h3>Matches</h3><div id="pairs"></div></div></div>{figures}'
    )


def _distributions(report: Report, evidence: Evidence) -> str:
    charts = []
    if evidence.points is not None:
        charts += [
            histogram(evidence.points.track_lengths, "track length", " images"),
            histogram(evidence.points.errors_px, "reprojection error of points", " px"),
        ]
    charts += [
        histogram([image.keypoints for image in report.images], "keypoints per image"),
        histogram([p.inliers for p in report.pairs if p.inliers], "inliers of verified pairs"),
    ]
    shown = "".join(charts)
    maps = coverage_maps(evidence.images.values())
    parts = f'<h2 id="numbers">Distributions</h2><div class="charts">{shown}</div>' if shown else ""
    if maps:
        parts += f'<h2 id="coverage">Coverage of the photos</h2><div class="charts">{maps}</div>'
    return parts
