"""True cameras in the frame of a model, and the errors of each image as bars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import numpy as np

from ...evaluation.poses import absolute_errors
from ...geometry.cameras import CameraModel, PosedImage
from ..document import ImageReport, Report

_ROW = 16  # height of a bar


def in_frame_of(model: CameraModel, truth: CameraModel) -> CameraModel | None:
    """Move true cameras by the similarity that fits them to the model; None with fewer than 3."""
    try:
        gt_from_model = absolute_errors(model, truth).gt_from_model
    except ValueError:
        return None
    images = {}
    for name, image in truth.images.items():
        offset = image.center - gt_from_model.translation
        center = gt_from_model.rotation.T @ offset / gt_from_model.scale
        rotation = image.rotation @ gt_from_model.rotation
        pose = np.column_stack([rotation, -rotation @ center])
        images[name] = PosedImage(name, image.camera_id, pose)
    return CameraModel(truth.cameras, images)


def error_section(report: Report) -> str:
    """Empty text without ground truth."""
    known = [i for i in report.images if i.position_error is not None]
    if report.ground_truth is None or not known:
        return ""
    position = _bars(known, lambda i: i.position_error, "", "position error, unit of the truth")
    rotation = _bars(known, lambda i: i.rotation_error_deg, "°", "rotation error, degrees")
    return (
        '<h2 id="truth">Errors against ground truth</h2>'
        f'<div class="two">{position}{rotation}</div>'
    )


def _bars(
    images: Sequence[ImageReport],
    value: Callable[[ImageReport], float | None],
    unit: str,
    title: str,
) -> str:
    values = [value(image) or 0.0 for image in images]
    most = max(values) or 1.0
    rows = "".join(
        f'<text x="118" y="{_ROW * k + 12}" text-anchor="end">{escape(_short(image.name))}</text>'
        f'<rect class="bar" x="124" y="{_ROW * k + 2}" width="{200 * v / most:.1f}" '
        f'height="{_ROW - 4}"><title>{escape(image.name)}: {v:.3g}{unit}</title></rect>'
        f'<text x="{128 + 200 * v / most:.0f}" y="{_ROW * k + 12}">{v:.2g}{unit}</text>'
        for k, (image, v) in enumerate(zip(images, values, strict=True))
    )
    tall = _ROW * len(images) + 4
    return (
        f"<figure><figcaption>{title}</figcaption>"
        f'<svg viewBox="0 0 380 {tall}" style="max-height:{1.6 * tall:.0f}px" role="img" '
        f'aria-label="{title}">{rows}</svg></figure>'
    )


def _short(name: str) -> str:
    return name if len(name) <= 18 else f"…{name[-17:]}"
