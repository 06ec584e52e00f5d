"""What a reconstruction did, as plain data that is written to ``report.json``.

docs/report.md describes every field.  A number that is not known is None, never NaN.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

FORMAT_VERSION = 1

Status = Literal["complete", "partial", "failed"]


@dataclass(frozen=True)
class Failure:
    """Why there is no model: a short code, and a sentence for people."""

    reason: str
    message: str


@dataclass(frozen=True)
class Spread:
    """Mean, median, smallest and largest of some numbers."""

    mean: float
    median: float
    min: float
    max: float


@dataclass(frozen=True)
class ImageReport:
    """One image.  ``model`` is the number of the largest model that has it."""

    name: str
    keypoints: int
    model: int | None
    points: int | None = None
    unregistered: str | None = None
    explanation: str | None = None
    position_error: float | None = None
    rotation_error_deg: float | None = None


@dataclass(frozen=True)
class PairReport:
    """One pair: matches before verification, inliers after it.

    origin  the pairing strategies that chose it, with commas, where there were several
    """

    names: tuple[str, str]
    matches: int
    inliers: int
    origin: str | None = None


@dataclass(frozen=True)
class ModelReport:
    """One model, ``sparse/<number>``."""

    number: int
    images: int
    points: int
    observations: int
    mean_track_length: float
    mean_reprojection_error_px: float
    cameras: list[dict[str, Any]]


@dataclass(frozen=True)
class TruthReport:
    """The largest model against ground truth; AUC in percent, by threshold in degrees."""

    images: int
    registered: int
    position_error: Spread | None
    rotation_error_deg: Spread | None
    pose_auc: dict[str, float]


@dataclass(frozen=True)
class Report:
    """The whole document; see docs/report.md."""

    scene: str
    image_dir: str
    status: Status
    failure: Failure | None
    seconds: dict[str, float]
    configuration: dict[str, Any]
    seeds: dict[str, int]
    versions: dict[str, str]
    images: list[ImageReport]
    failed_images: dict[str, str]
    failed_pairs: dict[str, str]
    keypoints: Spread | None
    pairs: list[PairReport]
    components: list[list[str]]
    models: list[ModelReport]
    ground_truth: TruthReport | None
    ignored_files: dict[str, int] = field(default_factory=dict)
    gone_images: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    format_version: int = field(default=FORMAT_VERSION)

    @property
    def registered(self) -> list[ImageReport]:
        """Images of the largest model."""
        return [i for i in self.images if i.model == 0]

    @property
    def unregistered(self) -> list[ImageReport]:
        """Images with features that are not in the largest model."""
        return [i for i in self.images if i.model != 0]

    def write(self, path: Path | str) -> Path:
        """Write the document as JSON, whole or not at all."""
        target = Path(path)
        partial = target.with_name(f"{target.name}.partial")
        # The version comes first: the beginning of a file tells what it is.
        document = {"format_version": self.format_version, **asdict(self)}
        text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
        partial.write_text(f"{text}\n", encoding="utf-8")
        partial.replace(target)
        return target
