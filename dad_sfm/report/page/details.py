"""The end of the page: every image, and what the result was made from."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from ..document import ImageReport, Report
from .coverage import covered
from .evidence import Evidence, ImageEvidence
from .table import table


def images_section(report: Report, evidence: Evidence) -> str:
    """A table of all images; a click on a name shows the photo."""
    rows = [
        _image_row(number, image, evidence.images.get(image.name))
        for number, image in enumerate(report.images)
    ]
    filled = [k for k in range(len(_COLUMNS)) if any(row[k] for row in rows)]
    if not rows:
        return ""
    whys = int(filled[-1] == len(_COLUMNS) - 1)  # a column of text where there are reasons
    shown = table([_COLUMNS[k] for k in filled], [[r[k] for k in filled] for r in rows], texts=whys)
    return f'<h2 id="images">Images</h2>{shown}'


_COLUMNS = (
    "image",
    "keypoints",
    "verified",
    "3D points",
    "covered",
    "position error",
    "rotation error",
    "not registered",
)


def _image_row(number: int, image: ImageReport, found: ImageEvidence | None) -> list[str]:
    return [
        f'<span data-image="{number}">{escape(image.name)}</span>',
        f"{image.keypoints:,}",
        "" if found is None else f"{int(found.verified.sum()):,}",
        "" if image.points is None else f"{image.points:,}",
        "" if found is None else f"{covered(found):.0%}",
        "" if image.position_error is None else f"{image.position_error:.3g}",
        "" if image.rotation_error_deg is None else f"{image.rotation_error_deg:.3g}°",
        escape(image.explanation or ""),
    ]


def left_out_section(report: Report) -> str:
    """Files that were not read, photos that are gone, pairs that could not be matched."""
    parts = []
    if report.ignored_files:
        rows = [[escape(k or "no suffix"), f"{n:,}"] for k, n in report.ignored_files.items()]
        parts.append(table(["ignored files", "number"], rows, texts=0))
    if report.gone_images:
        names = ", ".join(escape(name) for name in report.gone_images)
        parts.append(f"<p>Gone since an earlier run: {names}</p>")
    if report.failed_pairs:
        rows = [[escape(pair), escape(why)] for pair, why in sorted(report.failed_pairs.items())]
        parts.append(table(["pair not matched", "reason"], rows))
    return f'<h2 id="left-out">Left out</h2>{"".join(parts)}' if parts else ""


def provenance_section(report: Report) -> str:
    """Configuration, seeds, versions, cameras and digests."""
    cameras = [camera for model in report.models[:1] for camera in model.cameras]
    parts = {
        "configuration": report.configuration,
        "seeds": report.seeds,
        "versions": report.versions,
        "cameras of the model": cameras,
        "files and their SHA-256": report.files,
    }
    inner = "".join(_detail(title, value) for title, value in parts.items() if value)
    return f'<h2 id="made">How it was made</h2>{inner}'


def _detail(title: str, value: Any) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return f"<details><summary>{title}</summary><pre>{escape(text)}</pre></details>"
