"""Step 1: a folder of images -> a feature file.

Called as hloc's step of the same name::

    features = extract_features.main(extract_features.confs["dad-nano"], image_dir, export_dir)
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from .core import config
from .core.device import choose_device
from .core.digest import sha256_of
from .core.progress import progress
from .core.step_command import run_step
from .core.types import Features
from .descriptors import DESCRIPTORS
from .detectors import DETECTORS
from .execution.extractor import Extractor
from .execution.loading import Photo, PhotoLoader, Preprocessing
from .execution.resume import images_to_extract, starts_over
from .execution.shards import Shard
from .execution.streaming import stream_features
from .io.images import ImageError
from .io.listing import select_images
from .io.photo_identity import identify
from .io.store import FeatureReader, FeatureWriter

logger = logging.getLogger(__name__)


def _dad(
    preset: str, *, resize_max: int = 1024, enlarged: bool = False, **model: Any
) -> dict[str, Any]:
    """A preset of the DaD family; its name is ``<detector>`` or ``<detector>+<descriptor>``."""
    _, _, descriptor = preset.partition("+")
    model["max_keypoints"] = 2048
    if descriptor:
        model["descriptor"] = {"name": descriptor}
    if descriptor == "hypercolumn":
        model["descriptor"]["encoder"] = "dad" if model["name"] == "dad" else "nano"
    preprocessing: dict[str, Any] = {"resize_max": resize_max}
    if enlarged:
        preprocessing["resize_force"] = True
    output = f"feats-{preset.replace('+', '-')}-n2048-r{resize_max}"
    return {"output": output, "model": model, "preprocessing": preprocessing}


# Presets of hloc's shape, to be copied and changed:
#   output         stem of the feature file
#   model          the detector's name and options, and under `descriptor` those of a descriptor
#   preprocessing  how images are resized, see `Preprocessing`
_WITH = ("", "+rootsift", "+aliked-n16")
_CONFS: dict[str, dict[str, Any]] = {
    # DaD enlarges small images, as its authors do.
    **{f"dad{d}": _dad(f"dad{d}", name="dad", enlarged=True) for d in _WITH},
    **{f"dad-nano{d}": _dad(f"dad-nano{d}", name="dad-nano") for d in (*_WITH, "+hypercolumn")},
    # Nano in four orientations, in larger images: ten times the work of the network.
    **{
        f"dad-nano-x4{d}": _dad(f"dad-nano-x4{d}", resize_max=1600, name="dad-nano", orientations=4)
        for d in _WITH
    },
    # Nano's teachers: bright points only, dark points only.
    "dad-nano-light": _dad("dad-nano-light", name="dad-nano", variant="nano-light"),
    "dad-nano-dark": _dad("dad-nano-dark", name="dad-nano", variant="nano-dark"),
    "sift": {
        "output": "feats-sift",
        "model": {"name": "sift"},
        "preprocessing": {"resize_max": 1600},
    },
    "aliked-n16": {
        "output": "feats-aliked-n16",
        "model": {"name": "aliked-n16"},
        "preprocessing": {"resize_max": 1024},
    },
    # More peers, to be measured against.
    "aliked-n16rot": {
        "output": "feats-aliked-n16rot",
        "model": {"name": "aliked-n16rot"},
        "preprocessing": {"resize_max": 1024},
    },
    "aliked-n32": {
        "output": "feats-aliked-n32",
        "model": {"name": "aliked-n32"},
        "preprocessing": {"resize_max": 1024},
    },
    "dedode-v2+dedode-b": {
        "output": "feats-dedode-v2-dedode-b",
        "model": {"name": "dedode-v2", "descriptor": {"name": "dedode-b"}},
        "preprocessing": {"resize_max": 1024},
    },
    "disk": {
        "output": "feats-disk",
        "model": {"name": "disk"},
        "preprocessing": {"resize_max": 1600},
    },
    "edgepoint2-e64": {
        "output": "feats-edgepoint2-e64",
        "model": {"name": "edgepoint2", "variant": "E64"},
        "preprocessing": {"resize_max": 1024},
    },
    "xfeat": {
        "output": "feats-xfeat",
        "model": {"name": "xfeat"},
        "preprocessing": {"resize_max": 1024},
    },
    "hessian-affine": {
        "output": "feats-hessian-affine",
        "model": {"name": "hessian-affine"},
        "preprocessing": {"resize_max": 1024},
    },
    "harris-affine": {
        "output": "feats-harris-affine",
        "model": {"name": "harris-affine"},
        "preprocessing": {"resize_max": 1024},
    },
    "keynet": {
        "output": "feats-keynet",
        "model": {"name": "keynet"},
        "preprocessing": {"resize_max": 1024},
    },
    "gftt": {
        "output": "feats-gftt",
        "model": {"name": "gftt"},
        "preprocessing": {"resize_max": 1024},
    },
    # Weights of the publication, or of `dad-sfm train track --network traqpoint`, by path.
    "traqpoint": {
        "output": "feats-traqpoint",
        "model": {"name": "traqpoint", "descriptor": {"name": "rootsift"}},
        "preprocessing": {"resize_max": 1024},
    },
    "ripe": {
        "output": "feats-ripe",
        "model": {"name": "ripe"},
        "preprocessing": {"resize_max": 1600},
    },
    "superpoint": {
        "output": "feats-superpoint",
        "model": {"name": "superpoint"},
        "preprocessing": {"resize_max": 1024},
    },
    # hloc's names for SuperPoint.
    **{
        f"superpoint_{name}": {
            "output": f"feats-superpoint-n4096-{size}",
            "model": {"name": "superpoint", "nms_radius": radius, "max_keypoints": 4096},
            "preprocessing": {"grayscale": True, **preprocessing},
        }
        for name, size, radius, preprocessing in (
            ("aachen", "r1024", 3, {"resize_max": 1024}),
            ("max", "rmax1600", 3, {"resize_max": 1600, "resize_force": True}),
            ("inloc", "r1600", 4, {"resize_max": 1600}),
        )
    },
    "reinforced-feature-points": {
        "output": "feats-reinforced-feature-points",
        "model": {"name": "reinforced-feature-points"},
        "preprocessing": {"resize_max": 1024},
    },
}
confs = config.Presets("feature preset", _CONFS)


_LATER = ("grayscale", "interpolation", "dfactor", "turns")  # options of preprocessing


def preset(chosen: str | Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of one of `confs`, or of ``chosen`` itself, to be changed.

    A name that is not in `confs` may be that of a detector plug-in, or ``detector+descriptor``:
    both with their default options, long side 1024.  Raises `ConfigError`.
    """
    if isinstance(chosen, str) and chosen not in confs:
        detector, plus, descriptor = chosen.partition("+")
        if detector in DETECTORS.names and (not plus or descriptor in DESCRIPTORS.names):
            model: dict[str, Any] = {"name": detector}
            if plus:
                model["descriptor"] = {"name": descriptor}
            output = f"feats-{chosen.replace('+', '-')}-r1024"
            return {"output": output, "model": model, "preprocessing": {"resize_max": 1024}}
    return config.preset(confs, chosen, "feature preset")


@dataclass(frozen=True)
class ExtractionConf:
    """What a preset holds."""

    output: str
    model: dict[str, Any]
    preprocessing: Preprocessing = field(default_factory=Preprocessing)


def check(conf: ExtractionConf) -> None:
    """Check the options of detector and descriptor without loading either.

    Raises `ConfigError`.
    """
    detector = dict(conf.model)
    if (descriptor := detector.pop("descriptor", None)) is not None:
        DESCRIPTORS.conf(descriptor)
    DETECTORS.conf(detector)


def main(
    conf: Mapping[str, Any],
    image_dir: Path | str,
    export_dir: Path | str | None = None,
    as_half: bool = True,
    image_list: Path | str | Iterable[str] | None = None,
    feature_path: Path | str | None = None,
    overwrite: bool = False,
    *,
    device: str = "auto",
    batch_size: int | None = None,
    workers: int | None = None,
    shard: Shard | str | None = None,
) -> Path:
    """Extract the features of a folder of images; returns the path of the feature file.

    conf          one of `confs`, or a changed copy of one
    export_dir    folder of the feature file, which is named by the preset's ``output``
    as_half       store descriptors in half precision; keypoints never are
    image_list    only these: names relative to ``image_dir``, or a text file with a name per line
    feature_path  the feature file itself, instead of ``export_dir``
    overwrite     extract the images again, in place of what the file holds of them; the others stay
    device        "auto", "cpu", "cuda", "cuda:1" or "mps"
    batch_size, workers  see `stream_features`
    shard         one of n parts of the images, such as "3/8", into a file of its own
                  (``features.3-of-8.h5``), to be put together by `io.store.merge`

    Images that are in the file already are left as they are, unless their photo is another one by
    now.  A file made by another configuration, or from another image folder, is refused with
    `StoreError`.  An image that cannot be used is skipped, logged, and recorded
    with the reason (`FeatureReader.failures`).  Raises `ImageError` when none could be used,
    `ConfigError` for an unknown key, FileNotFoundError for a listed image that is not there.
    """
    checked = config.build(ExtractionConf, conf, where="conf")
    if feature_path is None:
        if export_dir is None:
            raise ValueError("give either export_dir or feature_path: where do the features go?")
        feature_path = Path(export_dir, checked.output + ".h5")
    part = Shard.parse(shard) if isinstance(shard, str) else shard
    feature_path = part.path(Path(feature_path)) if part is not None else Path(feature_path)
    listing, root = select_images(image_dir, image_list), Path(image_dir)
    names = listing.names if part is None else part.images(listing.names)
    whole = image_list is None and part is None
    if listing.ignored:
        logger.warning("ignored under %s: %s", root, listing.ignored_text())
    extractor = Extractor(checked.model, device=str(choose_device(device)))
    provenance = {
        **extractor.provenance,
        "preprocessing": _identity(checked.preprocessing),
        "as_half": as_half,
    }
    fresh = starts_over(feature_path, provenance, None if whole else names, overwrite=overwrite)
    with FeatureWriter(feature_path, provenance, overwrite=fresh) as writer:
        todo = images_to_extract(writer, root, names, whole=whole, overwrite=overwrite)
        logger.info("%d images, %d to extract -> %s", len(names), len(todo), feature_path)
        failures = dict(listing.unfit)
        writer.write_failures(failures)
        sources: dict[str, str] = {}
        photos = PhotoLoader(root, listing.names, checked.preprocessing, stride=extractor.stride)
        load = partial(_load, photos, root, sources)
        results = stream_features(load, extractor, todo, batch_size=batch_size, workers=workers)
        for name, result in progress(results, "features", total=len(todo), unit="image"):
            if isinstance(result, Features):
                writer.write(name, result, as_half=as_half, source=sources.pop(name))
                continue
            logger.warning("skipped %s: %s", name, result)
            writer.remove(name)  # of an earlier photo
            failures[name] = str(result)
            writer.write_failures(failures)
        photos.log_masks()
        if part is None and names and failures.keys() >= set(names):
            raise ImageError(
                f"none of the {len(names)} images under {image_dir} could be used, first: "
                f"{names[0]}: {failures[names[0]]}"
            )
    return feature_path


def _identity(preprocessing: Preprocessing) -> dict[str, Any]:
    """What features depend on: what a file of turns says, not where it lies.

    Options that came later are left out where they change nothing, so that older files fit.
    """
    found = config.to_dict(preprocessing)
    if preprocessing.turns is not None:
        found["turns"] = sha256_of(preprocessing.turns)
    plain = config.to_dict(Preprocessing())
    return {k: v for k, v in found.items() if k not in _LATER or v != plain[k]}


def _load(load: PhotoLoader, root: Path, sources: dict[str, str], name: str) -> Photo:
    # Before it is decoded: if it is replaced in between, the next run sees another photo.
    sources[name] = identify(root / name)
    return load(name)


def warn_without_descriptors(path: Path) -> None:
    """Warn of a feature file that hloc's nearest-neighbour matcher cannot take: it hangs."""
    with FeatureReader(path) as reader:
        bare = [name for name in reader.names()[:10] if not reader.has_descriptors(name)]
    if bare:
        logger.warning(
            "%s holds keypoints without descriptors: hloc's nearest-neighbour matchers hang on "
            "such files; take a preset with descriptors (dad-nano+rootsift), or a matcher that "
            "needs none (roma)",
            path,
        )


def _failures(path: Path) -> dict[str, str]:
    warn_without_descriptors(path)
    with FeatureReader(path) as reader:
        return reader.failures


if __name__ == "__main__":
    sys.exit(run_step(main, preset=preset, default_conf="dad-nano", failures=_failures))
