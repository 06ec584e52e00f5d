"""The top of the page: what came out, in numbers."""

from __future__ import annotations

from html import escape

from ..document import Report, Spread
from ..summary import summary_lines


def head(report: Report) -> str:
    """Title, status and the sentence that says what happened."""
    headline = summary_lines(report)[0].removeprefix(f"{report.scene}: ")
    return (
        f'<h1>{escape(report.scene)} <small class="{report.status}">{report.status}</small></h1>'
        f"<p>{escape(headline)}</p>"
    )


def cards(report: Report) -> str:
    """Tiles, a number each."""
    total = len(report.images) + len(report.failed_images)
    tiles = [("images registered", f"{len(report.registered)} of {total}")]
    if report.models:
        model = report.models[0]
        tiles += [
            ("3D points", f"{model.points:,}"),
            ("mean track length", f"{model.mean_track_length:.2f}"),
            ("reprojection error", f"{model.mean_reprojection_error_px:.2f} px"),
        ]
    if report.keypoints:
        tiles.append(("keypoints per image", f"{report.keypoints.mean:,.0f}"))
    if report.pairs:
        verified = sum(p.inliers > 0 for p in report.pairs)
        tiles.append(("pairs verified", f"{verified:,} of {len(report.pairs):,}"))
    if len(report.models) > 1 and report.unregistered:
        sizes = ", ".join(str(m.images) for m in report.models)
        tiles.append(("models, images of each", sizes))
    truth = report.ground_truth
    if truth:
        tiles += [
            ("position error, mean", _mean(truth.position_error)),
            ("rotation error, mean", f"{_mean(truth.rotation_error_deg)}°"),
            (
                f"pose AUC at {', '.join(truth.pose_auc)}°",
                " ".join(f"{a:.1f}" for a in truth.pose_auc.values()),
            ),
        ]
    inner = "".join(f'<div class="card"><span>{escape(k)}</span><b>{v}</b></div>' for k, v in tiles)
    return f'<div class="cards">{inner}</div>'


def times(report: Report) -> str:
    """Seconds of each stage as one bar."""
    stages = {k: v for k, v in report.seconds.items() if k != "total" and v > 0}
    if not stages:
        return ""
    whole = sum(stages.values())
    bars = "".join(
        f'<i style="width:{100 * s / whole:.1f}%; opacity:{1 - 0.13 * i:.2f}" '
        f'title="{escape(name)}: {s:.1f} s"></i>'
        for i, (name, s) in enumerate(stages.items())
    )
    text = ", ".join(f"{escape(name)} {s:.1f} s" for name, s in stages.items())
    return f'<h2>Time</h2><div class="time">{bars}</div><small>{text}</small>'


def warnings(report: Report) -> str:
    """What the run warned of."""
    if not report.warnings:
        return ""
    items = "".join(f"<li>{escape(text)}</li>" for text in report.warnings)
    return f"<h2>Warnings</h2><ul>{items}</ul>"


def _mean(spread: Spread | None) -> str:
    return "–" if spread is None else f"{spread.mean:.3g}"
