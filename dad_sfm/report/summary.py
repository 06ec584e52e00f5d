"""A report in a few lines for the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from .document import ImageReport, Report, Spread
from .unregistered import REMEDIES

MOST_LISTED = 8


def summary_lines(report: Report) -> list[str]:
    """The lines to print at the end of a run: what came out, how well, how fast, what did not."""
    body = [
        ("model", _models(report)),
        ("features", _features(report)),
        ("pairs", _pairs(report)),
        ("truth", _truth(report)),
        ("time", _time(report)),
    ]
    lines = [_headline(report)]
    lines += [f"  {label:<9} {text}" for label, text in body if text]
    lines += [f"  warning   {warning}" for warning in report.warnings]
    lines += _listing("not in the model", _reasons(report.unregistered))
    lines += _remedy(report.unregistered)
    lines += _listing("not usable", sorted(report.failed_images.items()))
    lines += _listing("not matched", sorted(report.failed_pairs.items()))
    if report.gone_images:
        lines += _listing("gone", [(name, "left out") for name in report.gone_images])
    if report.ignored_files:
        ignored = ", ".join(f"{suffix} {n}" for suffix, n in report.ignored_files.items())
        lines.append(f"  ignored   {ignored}")
    return lines


def _headline(report: Report) -> str:
    total = len(report.images) + len(report.failed_images)
    if report.failure is not None:
        return f"{report.scene}: no reconstruction: {report.failure.message}"
    models = len(report.models)
    # Where the largest model has all, what else there is repeats parts of it.
    parted = models > 1 and report.unregistered
    more = f"; {models} models, this is the largest" if parted else ""
    return f"{report.scene}: {len(report.registered)} of {total} images registered{more}"


def _models(report: Report) -> str:
    if not report.models:
        return ""
    m = report.models[0]
    return (
        f"{_count(m.points)} points, mean track length {m.mean_track_length:.2f}, "
        f"reprojection error {m.mean_reprojection_error_px:.2f} px"
    )


def _features(report: Report) -> str:
    k = report.keypoints
    return f"{_count(k.mean)} keypoints per image ({_count(k.min)} to {_count(k.max)})" if k else ""


def _pairs(report: Report) -> str:
    if not report.pairs:
        return ""
    inliers = sorted(p.inliers for p in report.pairs if p.inliers)
    text = f"{_count(len(inliers))} of {_count(len(report.pairs))} verified"
    if inliers:
        text += f", median {_count(inliers[len(inliers) // 2])} inliers"
    parts = [len(c) for c in report.components if len(c) > 1]
    return f"{text}, in {len(parts)} separate parts" if len(parts) > 1 else text


def _truth(report: Report) -> str:
    truth = report.ground_truth
    if truth is None:
        return ""
    texts = []
    if truth.position_error and truth.rotation_error_deg:
        texts += [
            f"position off by {_range(truth.position_error)}",
            f"rotation {_range(truth.rotation_error_deg, '°')}",
        ]
    thresholds = "/".join(truth.pose_auc)
    areas = " ".join(f"{a:.1f}" for a in truth.pose_auc.values())
    return ", ".join([*texts, f"pose AUC@{thresholds}° {areas}"])


def _time(report: Report) -> str:
    stages = {k: v for k, v in report.seconds.items() if k != "total"}
    if not stages:
        return ""
    listed = ", ".join(f"{name} {s:.1f}" for name, s in stages.items())
    return f"{report.seconds.get('total', sum(stages.values())):.1f} s: {listed}"


def _reasons(images: Iterable[ImageReport]) -> list[tuple[str, str]]:
    """Images by name with the reason; where there are many, the reasons with a count."""
    images = list(images)
    if len(images) <= MOST_LISTED:
        return [(i.name, i.explanation or "") for i in images]
    counts = Counter(i.unregistered or "" for i in images)
    return [(f"{count} images", code) for code, count in counts.most_common()]


def _remedy(images: Iterable[ImageReport]) -> list[str]:
    """What helps most of the images that are not in the model."""
    remedies = Counter(REMEDIES[i.unregistered] for i in images if i.unregistered in REMEDIES)
    return [f"    what helps most of them: {remedy}" for remedy, _ in remedies.most_common(1)]


def _listing(title: str, rows: list[tuple[str, str]]) -> list[str]:
    if not rows:
        return []
    width = max(len(name) for name, _ in rows[:MOST_LISTED])
    lines = [f"  {title}:"] + [f"    {n:<{width}}  {why}" for n, why in rows[:MOST_LISTED]]
    if len(rows) > MOST_LISTED:
        lines.append(f"    and {len(rows) - MOST_LISTED} more, see report.json")
    return lines


def _range(spread: Spread, unit: str = "") -> str:
    return f"{spread.mean:.2g}{unit} (max {spread.max:.2g}{unit})"


def _count(number: float) -> str:
    return f"{number:,.0f}".replace(",", " ")
