"""Structure from motion with true cameras, from linked keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from .. import database, reconstruction
from ..colmap.cameras import CameraMode
from ..colmap.model import read_model
from ..colmap.verification import Verification
from ..core.types import Features, Matches
from ..evaluation.linking import Linker
from ..evaluation.metric_table import Measure, MetricTable, auc_measures, pair_name
from ..evaluation.pose_task import PosePair
from ..evaluation.poses import absolute_errors, pair_errors_deg
from ..evaluation.ranking import RankedReader
from ..geometry.cameras import CameraModel, PosedImage
from ..io.pairs_file import write_pairs
from ..io.store import FeatureWriter, MatchWriter
from ..reconstruction import ReconstructionError

THRESHOLDS_DEG = (1.0, 3.0, 5.0)
CAMERA_MODE: CameraMode = "auto"  # one camera where all photos have one size
CAMERA_MODEL = "SIMPLE_RADIAL"
LEAST_IMAGES = 3  # that an alignment to the ground truth needs


@dataclass(frozen=True)
class SfmTask:
    """A scene to be reconstructed from all its pairs, one camera of unknown focal length.

    image_dir  the benchmark's image folder
    gt         true poses, by image names relative to ``image_dir``, in metres
    pairs      the pairs to match; their truth serves the linker that needs it
    """

    scene: str
    image_dir: Path
    gt: CameraModel
    pairs: Sequence[PosePair]
    seed: int = 0

    @property
    def name(self) -> str:
        return f"{self.scene} SfM"

    @property
    def names(self) -> list[str]:
        """The images it needs."""
        return sorted(self.gt.images)

    @property
    def settings(self) -> dict[str, Any]:
        """How it judges, for the result."""
        return {
            "thresholds_deg": THRESHOLDS_DEG,
            "camera_mode": CAMERA_MODE,
            "camera_model": CAMERA_MODEL,
            "verification": asdict(Verification()),
            "seed": self.seed,
        }

    def judge(
        self, features: RankedReader, link: Linker, budgets: Sequence[int], work: Path
    ) -> list[MetricTable]:
        """Two tables: relative poses of all pairs, and positions and rotations of the images.

        A scene that cannot be reconstructed counts as one without registered images.  The
        models stay under ``work``.
        """
        links = {
            (p.name_a, p.name_b): link(p, features.read(p.name_a), features.read(p.name_b))
            for p in self.pairs
        }
        models = {}
        for budget in budgets:
            folder = work / self.scene.replace("/", "-") / str(budget)
            kept = {name: features.read(name).top(budget) for name in self.names}
            rows = {pair: of(budget) for pair, of in links.items()}
            models[budget] = self._reconstruct(folder, kept, rows)
        return [self._pairs_table(models), self._images_table(models)]

    def _reconstruct(
        self,
        folder: Path,
        features: dict[str, Features],
        links: dict[tuple[str, str], np.ndarray],
    ) -> CameraModel:
        """The largest model; an empty one where there is none."""
        paths = [folder / name for name in ("features.h5", "pairs.txt", "matches.h5")]
        with FeatureWriter(paths[0], {}, overwrite=True) as writer:
            for name, found in features.items():
                writer.write(name, found)
        write_pairs(paths[1], links)
        with MatchWriter(paths[2], {}, overwrite=True) as writer:
            for (a, b), rows in links.items():
                matches0 = np.full(len(features[a]), -1, np.int32)
                matches0[rows[:, 0]] = rows[:, 1]
                writer.write(a, b, Matches(matches0, (matches0 >= 0).astype(np.float32)))
        made = database.main(
            folder / "database.db",
            self.image_dir,
            *paths,
            camera_mode=CAMERA_MODE,
            camera_model=CAMERA_MODEL,
            seed=self.seed,
            overwrite=True,
        )
        try:
            models = reconstruction.main(
                folder / "sparse", made, self.image_dir, seed=self.seed, overwrite=True
            )
        except ReconstructionError:
            return CameraModel({}, {})
        return read_model(models[0])

    def _pairs_table(self, models: dict[int, CameraModel]) -> MetricTable:
        names = combinations(sorted(self.gt.images), 2)
        return MetricTable(
            self.name,
            tuple(pair_name(a, b) for a, b in names),
            auc_measures("error_deg", THRESHOLDS_DEG, "°"),
            {b: {"error_deg": pair_errors_deg(m, self.gt)[:, None]} for b, m in models.items()},
        )

    def _images_table(self, models: dict[int, CameraModel]) -> MetricTable:
        return MetricTable(
            f"{self.name} images",
            tuple(self.names),
            (
                Measure("registered", "registered"),
                Measure("position", "position_mm", unit="mm", lower_is_better=True),
                Measure("rotation", "rotation_deg", unit="°", lower_is_better=True),
            ),
            {budget: self._image_columns(model) for budget, model in models.items()},
        )

    def _image_columns(self, model: CameraModel) -> dict[str, np.ndarray]:
        """Errors are NaN for images that are not in the model."""
        n = len(self.names)
        registered = np.array([float(name in model.images) for name in self.names])
        position, rotation = np.full(n, np.nan), np.full(n, np.nan)
        if registered.sum() >= LEAST_IMAGES:
            errors = absolute_errors(model, self.gt)
            rows = [self.names.index(name) for name in errors.names]
            position[rows], rotation[rows] = 1000 * errors.position, errors.rotation_deg
        columns = {"registered": registered, "position_mm": position, "rotation_deg": rotation}
        return {name: values[:, None] for name, values in columns.items()}


def in_folder(gt: CameraModel, folder: str) -> CameraModel:
    """A model whose image names are prefixed with ``folder``."""
    images = {
        f"{folder}{name}": PosedImage(f"{folder}{name}", image.camera_id, image.cam_from_world)
        for name, image in gt.images.items()
    }
    return CameraModel(gt.cameras, images)
