"""Images that are not in the model: why, what shows it, and the command that helps."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from html import escape
from pathlib import Path

from ..document import ImageReport, Report
from ..unregistered import REMEDIES
from .table import table

_OTHER_FEATURES = ("--features", "dad-nano+aliked-n16")


def missing_section(report: Report, out: Path) -> str:
    """Empty text where every image is in the model."""
    rows = [_row(number, image, report, out) for number, image in enumerate(report.images)
            if image.model != 0]  # fmt: skip
    for row, above in reversed(list(zip(rows[1:], rows, strict=False))):
        if row[-1] and row[-1] == above[-1]:
            row[-1] = "<small>the same command</small>"
    rows += [
        [escape(name), "cannot be used", escape(why), "repair or replace the photo", ""]
        for name, why in sorted(report.failed_images.items())
    ]
    if not rows:
        return ""
    head = ["image", "reason", "evidence", "what helps", "command"]
    shown = table(head, rows, texts=4, stacks=True)
    return f'<h2 id="missing">Not registered: {len(rows)}</h2>{shown}'


def _row(number: int, image: ImageReport, report: Report, out: Path) -> list[str]:
    code = image.unregistered or ""
    command = command_for(code, report, out)
    return [
        f'<span data-image="{number}">{escape(image.name)}</span>',
        escape(code.replace("_", " ")),
        escape(image.explanation or ""),
        escape(REMEDIES.get(code, "see the failure above")),
        f"<code>{escape(command)}</code>" if command else "",
    ]


def command_for(code: str, report: Report, out: Path) -> str | None:
    """A run that differs from this one in what may help, into a folder of its own.

    None where what helps is not an option: other photos.
    """
    flags = _flags(code, report)
    if not flags:
        return None
    again = out.with_name(f"{out.name}-again")
    words = ["dad-sfm", "reconstruct", report.image_dir, "--out", str(again), *flags]
    return shlex.join(words)


def _flags(code: str, report: Report) -> Sequence[str]:
    features = report.configuration.get("features", {})
    pairing = report.configuration.get("pairing", {}).get("strategy")
    size = features.get("preprocessing", {}).get("resize_max")
    described = "aliked" in str(features.get("model", {}).get("descriptor", ""))
    if code == "no_keypoints":
        return ("--resize", str(2 * size)) if size else ()
    apart = code in ("other_model", "other_component") and pairing != "exhaustive"
    if apart or code == "no_pairs":
        return ("--pairs", "exhaustive")
    if code == "too_few_points" and described:
        most = features.get("model", {}).get("max_keypoints")
        return ("--max-keypoints", str(2 * most)) if most else ()
    if code in REMEDIES and not described:
        return _OTHER_FEATURES
    return ("--resize", str(2 * size)) if size else ()
