"""The report as one HTML page that needs nothing else: no network, no scripts, no files."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterable
from html import escape
from pathlib import Path

from ..colmap.model import read_coloured_points
from ..io.images import ImageError
from ..io.output import Output
from ..io.photos import read_photo
from ..io.store import FeatureReader
from .charts import inlier_matrix, top_view
from .document import ImageReport, Report, Spread
from .summary import summary_lines
from .unregistered import REMEDIES

MOST_THUMBNAILS = 12
THUMBNAIL_SIDE = 360

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --soft: #667; --line: #d8dce4;
  --ground: #fff; --panel: #f5f6f9; --accent: #2f6fde; --good: #1d8348; --bad: #c0392b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9f0; --soft: #99a; --line: #333a48;
  --ground: #14171d; --panel: #1c212a; --accent: #6ea2ff; --good: #58d68d; --bad: #ff7a6b; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground);
  max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; }
.complete { color: var(--good); } .partial { color: var(--accent); } .failed { color: var(--bad); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .8rem; }
.card { background: var(--panel); border-radius: .5rem; padding: .7rem .9rem; }
.card b { display: block; font-size: 1.3rem; font-weight: 600; }
.card span, small, figcaption, summary { color: var(--soft); }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1.5rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child, td.text { text-align: left; overflow-wrap: anywhere; }
svg { width: 100%; max-height: 34rem; background: var(--panel); border-radius: .5rem; }
.matrix rect { fill: var(--accent); } .matrix .ground { fill: none; }
.cameras { fill: var(--accent); fill-opacity: .85; stroke: var(--ground); }
.photos { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: .8rem; }
figure { margin: 0; } figure img { width: 100%; border-radius: .4rem; display: block; }
figcaption { font-size: .85rem; overflow-wrap: anywhere; }
pre { background: var(--panel); padding: 1rem; border-radius: .5rem; overflow-x: auto; }
.bar { display: flex; height: 1.3rem; border-radius: .4rem; overflow: hidden; }
.bar i { background: var(--accent); border-right: 1px solid var(--ground); }
"""


def write_page(report: Report, out: Path | str | Output) -> Path:
    """Write ``report.html`` into the output folder that the report is of; returns its path."""
    files = Output.of(out)
    body = [
        _head(report),
        _cards(report),
        _time(report),
        _drawings(report, files),
        _photos(report, files),
        _table_of_images(report),
        _warnings(report),
        _details(report),
    ]
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(report.scene)} – dad_sfm</title><style>{_STYLE}</style></head>\n<body>\n"
    )
    page += "\n".join(part for part in body if part) + "\n</body></html>\n"
    partial = files.page.with_name(f"{files.page.name}.partial")
    partial.write_text(page, encoding="utf-8")
    partial.replace(files.page)
    return files.page


def _head(report: Report) -> str:
    headline = summary_lines(report)[0].removeprefix(f"{report.scene}: ")
    return (
        f'<h1>{escape(report.scene)} <small class="{report.status}">{report.status}</small></h1>'
        f"<p>{escape(headline)}</p>"
    )


def _cards(report: Report) -> str:
    cards = [("images registered", f"{len(report.registered)} of {len(report.images)}")]
    if report.models:
        model = report.models[0]
        cards += [
            ("3D points", f"{model.points:,}"),
            ("mean track length", f"{model.mean_track_length:.2f}"),
            ("reprojection error", f"{model.mean_reprojection_error_px:.2f} px"),
        ]
    if report.keypoints:
        cards.append(("keypoints per image", f"{report.keypoints.mean:,.0f}"))
    if report.pairs:
        verified = sum(p.inliers > 0 for p in report.pairs)
        cards.append(("pairs verified", f"{verified:,} of {len(report.pairs):,}"))
    truth = report.ground_truth
    if truth:
        cards += [
            ("position error, mean", _mean(truth.position_error)),
            ("rotation error, mean", f"{_mean(truth.rotation_error_deg)}°"),
            (
                f"pose AUC at {', '.join(truth.pose_auc)}°",
                " ".join(f"{a:.1f}" for a in truth.pose_auc.values()),
            ),
        ]
    inner = "".join(f'<div class="card"><span>{escape(k)}</span><b>{v}</b></div>' for k, v in cards)
    return f'<div class="cards">{inner}</div>'


def _mean(spread: Spread | None) -> str:
    return "–" if spread is None else f"{spread.mean:.3g}"


def _time(report: Report) -> str:
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
    return f'<h2>Time</h2><div class="bar">{bars}</div><small>{text}</small>'


def _warnings(report: Report) -> str:
    if not report.warnings:
        return ""
    items = "".join(f"<li>{escape(text)}</li>" for text in report.warnings)
    return f"<h2>Warnings</h2><ul>{items}</ul>"


def _drawings(report: Report, files: Output) -> str:
    parts = []
    if report.models:
        drawing = top_view(*read_coloured_points(files.models()[0]))
        parts.append(f"<div><h2>Cameras and points from above</h2>{drawing}</div>")
    matrix = inlier_matrix(
        [i.name for i in report.images], {p.names: p.inliers for p in report.pairs if p.inliers}
    )
    if matrix:
        parts.append(f"<div><h2>Inliers of each pair</h2>{matrix}</div>")
    return f'<div class="pair">{"".join(parts)}</div>' if parts else ""


def _photos(report: Report, files: Output) -> str:
    names = [i.name for i in report.images]
    if not names or not files.features.is_file():
        return ""
    chosen = names[:: -(-len(names) // MOST_THUMBNAILS)]
    with FeatureReader(files.features) as reader:
        figures = [_figure(name, Path(report.image_dir), reader) for name in chosen]
    return f'<h2>Keypoints</h2><div class="photos">{"".join(figures)}</div>'


def _figure(name: str, image_dir: Path, reader: FeatureReader) -> str:
    from ..geometry import pixel_frames
    from .drawing import draw_keypoints

    caption = escape(name)
    try:
        photo = read_photo(image_dir / name, resize_max=THUMBNAIL_SIDE, upright=False, alpha=False)
    except ImageError as error:
        return f"<figure><figcaption>{caption}: {escape(str(error))}</figcaption></figure>"
    found = reader.read(name, descriptors=False)
    points = pixel_frames.resized_px(
        found.keypoints_px, source_size=photo.stored_size, target_size=photo.image.size
    )
    picture, buffer = draw_keypoints(photo.image, points, radius=1.0), io.BytesIO()
    picture.save(buffer, "JPEG", quality=82)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return (
        f'<figure><img alt="keypoints of {caption}" src="data:image/jpeg;base64,{data}">'
        f"<figcaption>{caption}: {len(found):,} keypoints</figcaption></figure>"
    )


def _table_of_images(report: Report) -> str:
    rows = [
        [
            escape(i.name),
            f"{i.keypoints:,}",
            "" if i.points is None else f"{i.points:,}",
            "" if i.position_error is None else f"{i.position_error:.3g}",
            "" if i.rotation_error_deg is None else f"{i.rotation_error_deg:.3g}°",
            escape(_why(i)),
        ]
        for i in report.images
    ]
    rows += [
        [escape(name), "", "", "", "", f"not usable: {escape(why)}"]
        for name, why in sorted(report.failed_images.items())
    ]
    head = ["image", "keypoints", "3D points", "position error", "rotation error", "not registered"]
    return f"<h2>Images</h2>{_table(head, rows)}" if rows else ""


def _why(image: ImageReport) -> str:
    """Why an image is not in the model, and what helps."""
    remedy = REMEDIES.get(image.unregistered or "")
    return f"{image.explanation}; what helps: {remedy}" if remedy else image.explanation or ""


def _table(head: Iterable[str], rows: Iterable[list[str]]) -> str:
    top = "".join(f"<th>{h}</th>" for h in head)
    body = "".join(
        f"<tr>{''.join(f'<td>{c}</td>' for c in row[:-1])}<td class=text>{row[-1]}</td></tr>"
        for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _details(report: Report) -> str:
    values = {"configuration": report.configuration, "seeds": report.seeds}
    text = json.dumps({**values, "versions": report.versions}, indent=2, ensure_ascii=False)
    return (
        f"<h2>How it was made</h2><details><summary>configuration, seeds, versions</summary>"
        f"<pre>{escape(text)}</pre></details>"
    )
