"""Step 5: a verified database -> COLMAP models, the largest first.

Mapping by COLMAP.  All random choices start from one seed, so that a run repeats as
far as COLMAP's floating-point sums do: bit for bit with ``num_threads=1``.
"""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .colmap.camera_evidence import camera_doubts
from .colmap.colours import keypoint_colours
from .colmap.inputs import InputError
from .colmap.log import colmap_log
from .colmap.mapping import Mapper, held_cameras, mapper_options, run_mapper
from .colmap.motion import Motion, read_motion
from .colmap.refinement import refine_principal_points
from .colmap.snapshots import keep_snapshots, partial_folder
from .colmap.start import begin
from .colmap.view_graph import ViewGraph, read_view_graph
from .core.config import ConfigError
from .core.hloc_call import also_as_hloc
from .core.step_command import run_step

if TYPE_CHECKING:
    import pycolmap

logger = logging.getLogger(__name__)

# What a first pair must have, for further attempts: along a street all motion is forward, and all
# angles are small.  (COLMAP relaxes angles and inliers by itself, to a quarter of what is asked.)
_RELAXED_START: dict[str, Any] = {
    "mapper.init_max_forward_motion": 1.0,
    "mapper.init_min_tri_angle": 4.0,
}
_ATTEMPTS = 5  # with as many seeds; each after the first only where that left too many images out
_ENOUGH = 0.8  # of the images that verified pairs join
_SMALL = 500  # images; larger scenes depend less on where they begin, and attempts take hours


class ReconstructionError(ValueError):
    """No model could be built.

    reason  one of ``no_keypoints``, ``no_matches``, ``no_verified_pair``, ``no_motion``,
            ``no_initial_pair``
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@also_as_hloc("dad_sfm.hloc_calls.mapping:reconstruct")
def main(
    sfm_dir: Path | str,
    database: Path | str,
    image_dir: Path | str,
    *,
    mapper: Mapper = "incremental",
    start: Sequence[Path | str] = (),
    options: Mapping[str, Any] | None = None,
    fixed_cameras: bool = False,
    refine_principal_point: bool = True,
    seed: int = 0,
    num_threads: int | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """Build models in ``sfm_dir/0``, ``sfm_dir/1``, ...; returns these, the largest first.

    mapper       "incremental", "global" (GLOMAP; from COLMAP 4 on) or "hierarchical"
    start        folders of models to continue (incremental mapper), their points triangulated again
                 from the database; several are joined by images that they share
    options      of ``pycolmap.IncrementalPipelineOptions`` (of the global mapper
                 ``GlobalPipelineOptions``) by name, nested ones with a dot:
                 ``{"ba_refine_principal_point": True, "mapper.init_min_tri_angle": 8}``.
                 With ``{"snapshot_frames_freq": 1}`` models can be watched as they grow, see
                 `colmap.snapshots`
    fixed_cameras
                 leave intrinsics, and poses of cameras in their rigs, as the database has them
    refine_principal_point
                 at the end, of cameras that many images share, see `refinement`; never where
                 cameras or focal lengths are fixed
    num_threads  all by default; with 1 a run repeats bit for bit

    Called as hloc's step, with pairs, features and matches, see `hloc_calls.mapping`.

    Raises `ReconstructionError` with the reason when there is no model, `ConfigError` on an
    unknown option, `InputError` when the folder is not empty, `FileNotFoundError` when there is
    no database.
    """
    root = Path(sfm_dir)
    if root.exists() and any(root.iterdir()) and not overwrite:
        raise InputError(f"{root} is not empty; overwrite it or give another folder")
    wanted = {
        "random_seed": seed,
        "num_threads": num_threads or -1,
        **(held_cameras(mapper) if fixed_cameras else {}),
        **(options or {}),
    }
    if start and mapper != "incremental":
        raise ConfigError(
            f"the {mapper} mapper starts from nothing; continue a model with the incremental one"
        )
    graph = read_view_graph(database)
    _check_possible(graph)
    _check_motion(read_motion(database))
    if mapper != "global" and len(graph.components()[0]) == 2:
        # Tracks of two images are seldom right, but two images have no others.
        wanted = {"triangulation.ignore_two_view_tracks": False, **wanted}
    if coloured_apart := _can_be_coloured_apart(mapper, wanted):
        wanted["extract_colors"] = False
    attempts = [mapper_options(one, mapper) for one in _attempts(wanted, mapper)]
    partial = partial_folder(root)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for settings in attempts:
        keep_snapshots(settings, root)
    try:
        places = Path(database), Path(image_dir)
        with (
            colmap_log(partial),
            keypoint_colours(*places) if coloured_apart else nullcontext() as colours,
        ):
            joined = len(graph.components()[0])
            if start:
                first, copy = begin(start, *places, partial / "begin", attempts[0])
                models = run_mapper(mapper, partial, copy, places[1], attempts[0], first)
                models.sort(key=_rank)
            else:
                models = _best_models(mapper, partial, *places, attempts, joined)
            free = not fixed_cameras and getattr(attempts[0], "ba_refine_focal_length", True)
            if refine_principal_point and free:
                threads = attempts[0].num_threads
                models = [refine_principal_points(m, num_threads=threads) for m in models]
            if colours is not None:
                for model in models:
                    colours.paint(model)
        if not models:
            raise ReconstructionError("no_initial_pair", _no_initial_pair(graph))
        ranked = partial / "ranked"
        for doubt in camera_doubts(models[0], database):
            logger.warning("%s", doubt)
        for rank, model in enumerate(models):
            folder = ranked / str(rank)
            folder.mkdir(parents=True)
            model.write(str(folder))
        shutil.rmtree(root, ignore_errors=True)
        ranked.replace(root)
    finally:
        shutil.rmtree(partial)
    return [root / str(rank) for rank in range(len(models))]


def _can_be_coloured_apart(mapper: Mapper, wanted: Mapping[str, Any]) -> bool:
    """Whether nobody needs colours while the models grow; the global mapper has no such choice."""
    watched = wanted.get("snapshot_frames_freq", 0) > 0
    return mapper != "global" and not watched and wanted.get("extract_colors", True)


def _attempts(wanted: Mapping[str, Any], mapper: Mapper) -> list[dict[str, Any]]:
    relaxed = {} if mapper == "global" else _RELAXED_START
    seeds = range(wanted["random_seed"] + 1, wanted["random_seed"] + _ATTEMPTS)
    return [dict(wanted), *({**relaxed, **wanted, "random_seed": seed} for seed in seeds)]


def _best_models(
    mapper: Mapper, folder: Path, database: Path, image_dir: Path, attempts: list[Any], joined: int
) -> list[pycolmap.Reconstruction]:
    """The models of the first attempt that registers enough of the images that verified pairs
    join, else of the one with the largest model; the largest first."""
    best: list[pycolmap.Reconstruction] = []
    for number, settings in enumerate(attempts):
        own = folder / f"attempt{number}"
        own.mkdir()
        models = sorted(run_mapper(mapper, own, database, image_dir, settings), key=_rank)
        if models and (not best or _rank(models[0]) < _rank(best[0])):
            best = models
        registered = best[0].num_reg_images() if best else 0
        if registered >= _ENOUGH * joined or (best and joined > _SMALL):
            break
        if number + 1 < len(attempts):
            logger.info(
                "%d of %d images that pairs join are registered; another attempt from other pairs",
                registered,
                joined,
            )
    return best


def _rank(model: pycolmap.Reconstruction) -> tuple[int, int]:
    return -model.num_reg_images(), -model.num_points3D()


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


def _check_motion(motion: Motion) -> None:
    if motion.is_only_rotation:
        raise ReconstructionError(
            "no_motion",
            f"the camera did not move: {motion.rotations} of {motion.pairs} verified pairs are "
            "rotations about one point, which hold no depth; take photos from different places, "
            "or stitch these to a panorama",
        )
    if motion.is_only_plane:
        logger.warning(
            "%d of %d verified pairs see a plane only, which does not determine a focal length: "
            "give it if you know it (--camera-params), and expect poses to be uncertain",
            motion.planar,
            motion.pairs,
        )
    elif motion.rotations:
        logger.info("%d of %d verified pairs are rotations", motion.rotations, motion.pairs)


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
