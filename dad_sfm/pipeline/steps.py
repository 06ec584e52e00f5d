"""One run of the pipeline: its steps, and the report of however far they came."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from .. import database, extract_features, match_features, pairs, reconstruction
from ..colmap.log import log_what_is_left
from ..core import config
from ..core.isolation import StageError, run_isolated
from ..execution.engines import run_on
from ..io.output import Output
from ..io.pairs_file import write_pairs
from ..io.scenes import Scene
from ..io.store import FeatureReader
from ..report import Failure, Report, build_report, failure_report, summary_lines
from ..report.page import SmallPhoto, photos_ahead, write_page
from .clock import Clock
from .conf import ReconstructionConf
from .survey import GivenFiles, Survey, survey

logger = logging.getLogger(__name__)

ImageList = Path | str | Iterable[str] | None


@dataclass
class Run:
    """One run: the steps, and the report of however far they came."""

    place: Scene
    files: Output
    conf: ReconstructionConf
    given: GivenFiles
    clock: Clock
    device: str
    workers: int | None
    engine: str
    num_threads: int | None
    overwrite: bool
    time_limit: float  # seconds, of verification and of mapping
    found: Survey | None = None
    photos: dict[str, SmallPhoto] = field(default_factory=dict)  # of the page

    def go(self, image_list: ImageList) -> None:
        """All steps.  Raises what they raise."""
        redo = self.overwrite and self.given.features is None
        earlier = None if redo else self.files.features
        self.found = survey(self.place, earlier, self.conf.cameras, self.given, image_list)
        names = self._features(image_list)
        self._pairs(names)
        self._matches()
        self._model(names)

    def _features(self, image_list: ImageList) -> list[str]:
        """Extract where no file is given; returns the images that have features."""
        assert self.found is not None
        if self.given.features is not None:
            return self.found.names
        with self.clock.stage("features"):
            self._on_engine(
                self.files.features,
                extract_features.main,
                config.to_dict(self.conf.features),
                self.place.image_dir,
                image_list=image_list,
                feature_path=self.files.features,
                overwrite=self.overwrite,
            )
        with FeatureReader(self.files.features) as reader:
            return [name for name in self.found.names if name in reader]

    def _pairs(self, names: list[str]) -> None:
        assert self.found is not None
        with self.clock.stage("pairs"):
            if self.found.pairs is not None:
                write_pairs(self.files.pairs, self.found.pairs)
                return
            pairs.main(
                self.files.pairs,
                names,
                self.files.features,
                image_dir=self.place.image_dir,
                strategy=self.conf.pairing.strategy,
                **self.conf.pairing.options,
            )

    def _matches(self) -> None:
        if self.given.matches is not None:
            return
        with self.clock.stage("matches"):
            self._on_engine(
                self.files.matches,
                match_features.main,
                config.to_dict(self.conf.matcher),
                self.files.pairs,
                self.files.features,
                matches=self.files.matches,
                overwrite=self.overwrite,
                discard=self.overwrite,
                image_dir=self.place.image_dir,
            )

    def _on_engine(self, path: Path, step: Callable[..., Path], *args: Any, **how: Any) -> None:
        """Run a step, which writes ``path``, where this run is to run."""
        run_on(
            self.engine,
            partial(step, *args, **how),
            path,
            device=self.device,
            workers=self.workers,
            overwrite=self.overwrite,
        )

    def _model(self, names: list[str]) -> None:
        assert self.found is not None
        with self.clock.stage("database"), self._colmap():
            run_isolated(
                database.main,
                self.files.database,
                self.place.image_dir,
                self.files.features,
                self.files.pairs,
                self.files.matches,
                camera_mode=self.conf.cameras.mode,
                camera_model=self.conf.cameras.model,
                camera_params=self.conf.cameras.params,
                verification=config.to_dict(self.conf.verification),
                image_list=names,
                cameras=self.found.cameras,
                rigs=self.conf.cameras.rigs,
                seed=self.conf.seed,
                num_threads=self.num_threads,
                time_limit=self.time_limit,
            )
        with (
            self.clock.stage("reconstruction"),
            self._colmap(),
            photos_ahead(self.files.features, self.place.image_dir.resolve(), names) as self.photos,
        ):
            run_isolated(
                reconstruction.main,
                self.files.sparse,
                self.files.database,
                self.place.image_dir,
                mapper=self.conf.mapping.mapper,
                start=self.conf.mapping.start,
                options=self.conf.mapping.options,
                fixed_cameras=self.conf.cameras.fixed,
                refine_principal_point=self.conf.mapping.refine_principal_point,
                seed=self.conf.seed,
                num_threads=self.num_threads,
                time_limit=self.time_limit,
            )

    @contextmanager
    def _colmap(self) -> Iterator[None]:
        """Keep what COLMAP said before it crashed."""
        try:
            yield
        except StageError:
            log_what_is_left(self.files.database.parent)
            raise

    def report(self, warnings: list[str], failure: Failure | None) -> Report:
        """The report of what there is; of the failure alone where nothing can be read."""
        listing = self.found.listing if self.found else None
        known: dict[str, Any] = {
            "scene": self.place.name,
            "image_dir": str(self.place.image_dir.resolve()),
            "failure": failure,
            "seconds": self.clock.seconds,
            "configuration": config.to_dict(self.conf),
            "seeds": {"verification": self.conf.seed, "mapper": self.conf.seed},
        }
        gt, names = self.place.gt if self.found else None, set(listing.names) if listing else None
        try:
            made = build_report(self.files, gt=gt, names=names, **known)
        except (ValueError, OSError, RuntimeError) as error:
            if failure is None:
                raise
            logger.warning("the report holds the failure only: %s", error)
            made = failure_report(**known)
        return replace(
            made,
            ignored_files=listing.ignored if listing else {},
            gone_images=self.found.gone if self.found else [],
            warnings=_told(warnings),
        )

    def write(self, report: Report) -> None:
        """Write the report and its page among the results."""
        report.write(self.files.report)
        write_page(report, self.files, self.place.gt if self.found else None, self.photos)
        for line in summary_lines(report):
            logger.debug("%s", line)


def _told(warnings: list[str]) -> list[str]:
    """The warnings, each once, less those of images and pairs that the report lists anyway."""
    return [text for text in dict.fromkeys(warnings) if not text.startswith("skipped ")]
