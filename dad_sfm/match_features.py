"""Step 3: features and pairs -> a match file.

Called as hloc's step of the same name::

    matches = match_features.main(match_features.confs["NN-ratio"], pairs, features, matches=path)

Takes any feature file of hloc's schema, another tool's too.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from .core import config
from .core.device import choose_device
from .core.progress import progress
from .core.step_command import run_step
from .core.types import Matches
from .execution.cores import compute_ahead
from .execution.extractor import descriptor_name
from .execution.pair_order import by_neighbours
from .execution.resume_matches import pairs_to_match, photo_of, starts_over
from .execution.shards import Shard
from .io.pairs_file import Pair, read_pairs
from .io.store import FeatureReader, MatchReader, MatchWriter, check_pair_keys
from .matchers import MATCHERS
from .matchers.base import Matcher, View
from .matchers.compatibility import (
    MatchingError,
    check_descriptors,
    check_fit,
    check_name,
    listed,
)
from .matchers.presets import PRESETS
from .matchers.views import Views

logger = logging.getLogger(__name__)

confs = config.Presets("matcher preset", PRESETS)  # by hloc's name


def preset(chosen: str | Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of one of `confs`, or of ``chosen`` itself, to be changed.

    Raises `ConfigError` that lists the names.
    """
    return config.preset(confs, chosen, "matcher preset")


@dataclass(frozen=True)
class MatchingConf:
    """What a preset holds."""

    output: str
    model: dict[str, Any]


def check(conf: MatchingConf) -> None:
    """Check the options of the matcher without loading it.  Raises `ConfigError`."""
    MATCHERS.conf(conf.model)


def check_features(conf: MatchingConf, model: Mapping[str, Any]) -> None:
    """Check that the matcher takes the features of a feature preset's ``model``, before they are
    extracted.  Raises `MatchingError` that lists the matchers that do."""
    if not MATCHERS.plugin(conf.model["name"]).needs_descriptors:
        return
    name = descriptor_name(model)
    if name is None:
        raise MatchingError(
            f"the features {model['name']} have no descriptors, which the matcher "
            f"{conf.model['name']} needs; add one ({model['name']}+rootsift), or take a matcher "
            "that needs none (roma, loftr)"
        )
    check_name(conf.model, name, holder=f"the preset {model['name']}", presets=confs)


def main(
    conf: Mapping[str, Any],
    pairs: Path | str | Sequence[Pair],
    features: Path | str,
    export_dir: Path | str | None = None,
    matches: Path | str | None = None,
    features_ref: Path | str | None = None,
    overwrite: bool = False,
    *,
    image_dir: Path | str | None = None,
    device: str = "auto",
    workers: int | None = None,
    discard: bool = False,
    shard: Shard | str | None = None,
) -> Path:
    """Match pairs of images; returns the path of the match file.

    conf          one of `confs`, or a changed copy of one
    pairs         a pairs file; or the pairs themselves, and then ``matches`` must be given
    features      a feature file; or the stem of one in ``export_dir``, and then ``matches`` may be
                  left out: the match file is named after features, conf and pairs, as hloc names it
    features_ref  feature file of the second image of each pair, if it is another one; a pair and
                  its reverse are then two pairs, and an image may be paired with its namesake
    overwrite     match the pairs again, in place of what the file holds of them; others stay
    image_dir     the photos, for a matcher that looks at them
    device        "auto", "cpu", "cuda", "cuda:1" or "mps"
    workers       on a CPU, pairs that are matched at the same time, one core each; None for as
                  many as there are cores, 0 for none: all is done in the calling thread
    shard         one of n blocks of the pairs, such as "3/8", into a file of its own
                  (``matches.3-of-8.h5``), to be put together by `io.store.merge`
    discard       start the match file over, and drop the other pairs that it holds

    Pairs that are in the match file already, in either order, are left as they are, unless their
    photos (or a foreign file's features) are others by now; a file made by another configuration
    or from other features is refused with `StoreError`.  All is checked before the first pair is
    matched: images without features or descriptors, descriptors that differ in kind, names that a
    match file cannot tell apart (`MatchingError`, `StoreError`).
    Pairs of an image that the extraction could not use are left out with a warning.  A pair that
    fails is skipped, logged and recorded with the reason (`MatchReader.failures`).
    """
    checked = config.build(MatchingConf, conf, where="conf")
    source = Path(pairs) if isinstance(pairs, (str, Path)) else None
    features, matches = _paths(checked, source, features, export_dir, matches)
    if shard is not None:
        part = Shard.parse(shard) if isinstance(shard, str) else shard
        matches = part.path(matches)
    described = {"name": checked.model.get("name"), **_options(checked.model)}
    kind: type[Matcher] = MATCHERS.plugin(checked.model["name"])
    if kind.needs_images and image_dir is None:
        raise MatchingError(f"the matcher {described['name']} looks at the photos: give image_dir")
    directed = features_ref is not None and Path(features_ref).resolve() != features.resolve()
    if isinstance(pairs, (str, Path)):
        wanted = read_pairs(pairs, directed=directed)
    else:
        wanted = list(dict.fromkeys(pairs))
    check_pair_keys(wanted, directed=directed)
    if shard is not None:
        wanted = part.block(sorted(wanted))
    with (
        FeatureReader(features, photos=image_dir) as query,
        FeatureReader(features_ref or features, photos=image_dir) as reference,
    ):
        wanted = _usable(wanted, query, reference, source or "the pairs")
        sides = _sides(wanted, query, reference)
        if kind.needs_descriptors:
            check_descriptors(sides)
            check_fit(checked.model, sides, presets=confs)
        chosen = choose_device(device)
        matcher = MATCHERS.make(checked.model, device=str(chosen))
        provenance = {
            "matcher": described,
            "identity": {"matcher": matcher.identity},
            "features": query.provenance or {"file": query.path.name},
            "features_ref": reference.provenance or {"file": reference.path.name},
            **({"directed": True} if directed else {}),
        }
        fresh = discard or starts_over(matches, provenance, wanted, overwrite=overwrite)
        photos = photo_of(query), photo_of(reference)
        with MatchWriter(matches, provenance, overwrite=fresh) as writer:
            todo = pairs_to_match(writer, wanted, photos, directed=directed, overwrite=overwrite)
            logger.info("%d pairs, %d to match -> %s", len(wanted), len(todo), matches)
            views = _views(query, reference, image_dir)
            match = partial(_match_pair, matcher, views)
            results = compute_ahead(match, by_neighbours(todo), device=chosen, workers=workers)
            _write_matches(results, len(todo), photos, writer)
    return matches


def _write_matches(
    results: Iterable[tuple[Pair, Future[Matches | Exception]]],
    total: int,
    photos: tuple[Callable[[str], str], Callable[[str], str]],
    writer: MatchWriter,
) -> None:
    failures: dict[str, str] = {}
    writer.write_failures(failures)
    for pair, future in progress(results, "matches", total=total, unit="pair"):
        result = future.result()
        if isinstance(result, Matches):
            name0, name1 = pair
            writer.write(name0, name1, result, sources=(photos[0](name0), photos[1](name1)))
            continue
        logger.warning("skipped %s %s: %s", *pair, result)
        failures[" ".join(pair)] = str(result)
        writer.write_failures(failures)
    if failures and len(failures) == total:
        pair_text, reason = next(iter(failures.items()))
        raise MatchingError(
            f"none of the {total} pairs could be matched, first: {pair_text}: {reason}"
        )


def _match_pair(
    matcher: Matcher, views: Callable[[Pair], tuple[View, View]], pair: Pair
) -> Matches | Exception:
    try:
        return matcher(*views(pair))
    except (RuntimeError, ValueError, OSError) as error:
        # A damaged entry or photo, memory that is not there: the other pairs may be fine.
        return error.with_traceback(None)


def _views(
    query: FeatureReader, reference: FeatureReader, image_dir: Path | str | None
) -> Callable[[Pair], tuple[View, View]]:
    views0 = Views(query.read, image_dir)
    views1 = views0 if query.path == reference.path else Views(reference.read, image_dir)
    return lambda pair: (views0(pair[0]), views1(pair[1]))


# ----------------------------------------------------------------------------- checking
def _paths(
    conf: MatchingConf,
    pairs: Path | None,
    features: Path | str,
    export_dir: Path | str | None,
    matches: Path | str | None,
) -> tuple[Path, Path]:
    """The feature file and the match file, by hloc's rules."""
    if isinstance(features, Path) or Path(features).is_file():
        if matches is None:
            raise MatchingError(
                f"{features} is a file: say with matches=... where the matches go, or give the "
                "stem of the feature file and export_dir"
            )
        return Path(features), Path(matches)
    if export_dir is None:
        raise MatchingError(f"{features!r} is no feature file: give export_dir, its folder")
    if matches is None:
        if pairs is None:
            raise MatchingError("say with matches=... where the matches go: there is no pairs file")
        matches = Path(export_dir, f"{features}_{conf.output}_{pairs.stem}.h5")
    return Path(export_dir, f"{features}.h5"), Path(matches)


def _options(model: Mapping[str, Any]) -> dict[str, Any]:
    """The checked options with every default, less where the weights lie: which they are is told
    by the digests in the matcher's identity."""
    values = config.to_dict(MATCHERS.conf(model))
    return {key: value for key, value in values.items() if not key.endswith("weights")}


def _usable(
    pairs: list[Pair], query: FeatureReader, reference: FeatureReader, source: Path | str
) -> list[Pair]:
    """The pairs without those of an image that the extraction could not use."""
    for reader, names in _sides(pairs, query, reference):
        missing = [name for name in names if name not in reader]
        unknown = [name for name in missing if name not in reader.failures]
        if unknown:
            raise MatchingError(
                f"{reader.path}: no features of {len(unknown)} of the {len(names)} images in "
                f"{source}: {listed(unknown)}; extract them, or make the pairs from the feature "
                "file (pairs.main(..., features=...))"
            )
        if missing:
            logger.warning(
                "left out, because extraction could not use them: %s", listed(sorted(missing))
            )
    return [pair for pair in pairs if pair[0] in query and pair[1] in reference]


def _sides(
    pairs: list[Pair], query: FeatureReader, reference: FeatureReader
) -> list[tuple[FeatureReader, list[str]]]:
    """Each feature file with the names that are read from it, once each."""
    if query.path == reference.path:
        return [(query, list(dict.fromkeys(name for pair in pairs for name in pair)))]
    sides = zip((query, reference), zip(*pairs, strict=True), strict=True) if pairs else ()
    return [(reader, list(dict.fromkeys(names))) for reader, names in sides]


def _failures(path: Path) -> dict[str, str]:
    with MatchReader(path) as reader:
        return reader.failures


if __name__ == "__main__":
    sys.exit(run_step(main, preset=preset, default_conf="NN-mutual", failures=_failures))
