"""COLMAP's mappers: incremental, global (GLOMAP) and hierarchical."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from ..core.config import ConfigError
from ..core.progress import progress

if TYPE_CHECKING:
    import pycolmap

Mapper = Literal["incremental", "global", "hierarchical"]

# COLMAP drops every model but the first that has fewer than 10 images; small collections that
# fall apart would lose their parts without a word.
_MIN_MODEL_SIZE = 3


def held_cameras(mapper: Mapper) -> dict[str, Any]:
    """Options under which intrinsics and the poses of cameras in their rigs stay as they are."""
    if mapper == "global":
        stages = ("rotation_averaging", "global_positioning", "bundle_adjustment")
        rigs = {f"mapper.{stage}.refine_sensor_from_rig": False for stage in stages}
        inner = ("refine_focal_length", "refine_extra_params")
        intrinsics = {f"mapper.bundle_adjustment.{name}": False for name in inner}
        return {"mapper.refine_sensor_from_rig": False, **rigs, **intrinsics}
    return {
        "ba_refine_focal_length": False,
        "ba_refine_extra_params": False,
        "ba_refine_sensor_from_rig": False,
        "mapper.abs_pose_refine_focal_length": False,
        "mapper.abs_pose_refine_extra_params": False,
    }


def mapper_options(options: Mapping[str, Any], mapper: Mapper = "incremental") -> Any:
    """Return the mapper's pycolmap options object with our defaults and these options.

    ``IncrementalPipelineOptions`` also for the hierarchical mapper, which runs the incremental one
    on parts of the scene; ``GlobalPipelineOptions`` for the global one.  Raises `ConfigError` on
    an unknown mapper or option, or a value of the wrong type.
    """
    import pycolmap

    if mapper not in get_args(Mapper):
        raise ConfigError(f"mapper {mapper!r} is not one of {', '.join(get_args(Mapper))}")
    if mapper == "global" and not hasattr(pycolmap, "global_mapping"):
        raise ConfigError(f"pycolmap {pycolmap.__version__} has no global mapper; 4.0 has")
    kind = "GlobalPipelineOptions" if mapper == "global" else "IncrementalPipelineOptions"
    settings = getattr(pycolmap, kind)()
    set_options(settings, {"min_model_size": _MIN_MODEL_SIZE, **options})
    return settings


def run_mapper(
    mapper: Mapper,
    folder: Path,
    database: Path,
    image_dir: Path,
    settings: Any,
    start: Path | None = None,
) -> list[pycolmap.Reconstruction]:
    """Build models from a database, with files of COLMAP's own in ``folder``.

    start  folder of a model of this database that the incremental mapper continues
    """
    import pycolmap

    places = str(database), str(image_dir), str(folder)
    if mapper == "global":
        models = pycolmap.global_mapping(*places, settings)
    elif mapper == "hierarchical":
        whole = pycolmap.HierarchicalPipelineOptions()
        whole.num_threads = settings.num_threads
        whole.incremental_options = settings
        models = pycolmap.hierarchical_mapping(*places, whole)
    else:
        models = _incremental(*places, settings, start)
    return [model for _, model in sorted(models.items())]


def _incremental(
    database: str,
    image_dir: str,
    folder: str,
    settings: pycolmap.IncrementalPipelineOptions,
    start: Path | None,
) -> dict[int, pycolmap.Reconstruction]:
    import pycolmap

    with pycolmap.Database.open(database) as db:
        num_images = db.num_images()
    with progress(None, "map", total=num_images, unit="image") as bar:

        def restart() -> None:  # each model begins with two images
            bar.reset()
            bar.update(2)

        return pycolmap.incremental_mapping(
            database,
            image_dir,
            folder,
            options=settings,
            input_path="" if start is None else str(start),
            initial_image_pair_callback=restart,
            next_image_callback=lambda: bar.update(1),
        )


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
