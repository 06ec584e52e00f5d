"""Step 5: a verified database -> COLMAP models, the largest first.

Incremental mapping by COLMAP.  All random choices start from one seed, so that a run repeats as
far as COLMAP's floating-point sums do: bit for bit with ``num_threads=1``.
"""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from .colmap.inputs import InputError
from .colmap.log import colmap_log
from .colmap.refinement import refine_principal_points
from .colmap.view_graph import ViewGraph, read_view_graph
from .core.config import ConfigError
from .core.step_command import run_step

if TYPE_CHECKING:
    import pycolmap

logger = logging.getLogger(__name__)

# COLMAP drops every model but the first that has fewer than 10 images; small collections that
# fall apart would lose their parts without a word.
_DEFAULTS: dict[str, Any] = {"min_model_size": 3}

# What a first pair must have, for a second attempt: along a street all motion is forward, and all
# angles are small.  (COLMAP relaxes angles and inliers by itself, to a quarter of what is asked.)
_RELAXED_START: dict[str, Any] = {
    "mapper.init_max_forward_motion": 1.0,
    "mapper.init_min_tri_angle": 4.0,
}


class ReconstructionError(ValueError):
    """No model could be built.

    reason  one of ``no_keypoints``, ``no_matches``, ``no_verified_pair``, ``no_initial_pair``
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def main(
    sfm_dir: Path | str,
    database: Path | str,
    image_dir: Path | str,
    *,
    options: Mapping[str, Any] | None = None,
    refine_principal_point: bool = True,
    seed: int = 0,
    num_threads: int | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """Build models in ``sfm_dir/0``, ``sfm_dir/1``, ...; returns these, the largest first.

    options      of ``pycolmap.IncrementalPipelineOptions`` by name, nested ones with a dot:
                 ``{"ba_refine_principal_point": True, "mapper.init_min_tri_angle": 8}``
    refine_principal_point
                 at the end, of cameras that many images share, see `refinement`; never where the
                 options hold focal lengths fixed
    num_threads  all by default; with 1 a run repeats bit for bit

    Raises `ReconstructionError` with the reason when there is no model, `ConfigError` on an
    unknown option, `InputError` when the folder is not empty, `FileNotFoundError` when there is
    no database.
    """
    root = Path(sfm_dir)
    if root.exists() and any(root.iterdir()) and not overwrite:
        raise InputError(f"{root} is not empty; overwrite it or give another folder")
    wanted = {"random_seed": seed, "num_threads": num_threads or -1, **(options or {})}
    attempts = [mapper_options({**start, **wanted}) for start in ({}, _RELAXED_START)]
    graph = read_view_graph(database)
    _check_possible(graph)
    partial = root.with_name(f"{root.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        with colmap_log(partial):
            models = _incremental(partial, Path(database), Path(image_dir), attempts[0])
            if not models:
                logger.info("no first pair; once more with smaller angles and forward motion")
                models = _incremental(partial, Path(database), Path(image_dir), attempts[1])
            if refine_principal_point and attempts[0].ba_refine_focal_length:
                threads = attempts[0].num_threads
                models = [refine_principal_points(m, num_threads=threads) for m in models]
        if not models:
            raise ReconstructionError("no_initial_pair", _no_initial_pair(graph))
        ranked = partial / "ranked"
        for rank, model in enumerate(sorted(models, key=_rank)):
            folder = ranked / str(rank)
            folder.mkdir(parents=True)
            model.write(str(folder))
        shutil.rmtree(root, ignore_errors=True)
        ranked.replace(root)
    finally:
        shutil.rmtree(partial)
    return [root / str(rank) for rank in range(len(models))]


def mapper_options(options: Mapping[str, Any]) -> pycolmap.IncrementalPipelineOptions:
    """Return ``pycolmap.IncrementalPipelineOptions`` with our defaults and these options.

    Raises `ConfigError` on an unknown option or a value of the wrong type.
    """
    import pycolmap

    settings = pycolmap.IncrementalPipelineOptions()
    set_options(settings, {**_DEFAULTS, **options})
    return settings


def _rank(model: pycolmap.Reconstruction) -> tuple[int, int]:
    return -model.num_reg_images(), -model.num_points3D()


def _incremental(
    folder: Path, database: Path, image_dir: Path, settings: pycolmap.IncrementalPipelineOptions
) -> list[pycolmap.Reconstruction]:
    import pycolmap

    with pycolmap.Database.open(str(database)) as db:
        num_images = db.num_images()
    with tqdm(desc="map", total=num_images, unit="image", disable=None) as bar:

        def restart() -> None:  # each model begins with two images
            bar.reset()
            bar.update(2)

        models = pycolmap.incremental_mapping(
            str(database),
            str(image_dir),
            str(folder),
            options=settings,
            initial_image_pair_callback=restart,
            next_image_callback=lambda: bar.update(1),
        )
    return [model for _, model in sorted(models.items())]


def set_options(target: Any, options: Mapping[str, Any]) -> None:
    """Set options of a pycolmap options object by name, nested ones with a dot.

    Raises `ConfigError` on a name that this version of pycolmap does not have, or on a value of
    the wrong type.
    """
    for name, value in options.items():
        *groups, last = name.split(".")
        holder = target
        for group in groups:
            holder = getattr(holder, group, None)
        if holder is None or not hasattr(holder, last):
            known = ", ".join(sorted(n for n in target.todict()))
            raise ConfigError(f"unknown COLMAP option {name!r}; there are: {known}")
        try:
            setattr(holder, last, value)
        except TypeError as error:
            kind = type(getattr(holder, last)).__name__
            raise ConfigError(f"COLMAP option {name}: expected {kind}, got {value!r}") from error


def _check_possible(graph: ViewGraph) -> None:
    """Raise `ReconstructionError` where COLMAP would only come back with nothing."""
    if not any(graph.keypoints.values()):
        raise ReconstructionError(
            "no_keypoints", f"none of the {len(graph.keypoints)} images has a keypoint"
        )
    if not any(graph.matches.values()):
        raise ReconstructionError(
            "no_matches",
            f"no matches in {len(graph.matches)} pairs; the images do not overlap, or the matcher "
            "does not fit the features",
        )
    if not graph.inliers:
        pair, most = max(graph.matches.items(), key=lambda item: item[1])
        raise ReconstructionError(
            "no_verified_pair",
            f"none of {len(graph.matches)} pairs passed geometric verification; the best, "
            f"{' '.join(pair)}, has {most} matches that agree with no two-view geometry",
        )


def _no_initial_pair(graph: ViewGraph) -> str:
    pair, most = max(graph.inliers.items(), key=lambda item: item[1])
    largest = len(graph.components()[0])
    return (
        f"COLMAP found no initial pair: {len(graph.inliers)} of {len(graph.matches)} pairs are "
        f"verified and join at most {largest} of {len(graph.keypoints)} images, the best "
        f"({' '.join(pair)}) by {most} inliers; it needs about 100 and a baseline that is not "
        "small against the distance (no pure rotation, no plane alone)"
    )


if __name__ == "__main__":
    sys.exit(run_step(main))
