"""Step 2: which images to match.  Names in, a pairs file out; see `dad_sfm.pairing`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .core.step_command import run_step
from .io.listing import natural_order
from .io.pairs_file import PairsError, origins_path, write_origins, write_pairs
from .io.store import FeatureReader
from .io.text_lists import read_names
from .pairing.base import Collection
from .pairing.union import make_strategies, union

logger = logging.getLogger(__name__)


def main(
    output: Path | str,
    image_list: Path | str | Iterable[str] | None = None,
    features: Path | str | None = None,
    *,
    image_dir: Path | str | None = None,
    strategy: str = "exhaustive",
    **options: Any,
) -> Path:
    """Write the pairs file ``output`` and return its path.

    The images are those of ``image_list`` (names, or a text file with a name per line, where ``#``
    starts a comment), else those of the feature file ``features``.  A list keeps its order; the
    names of a feature file are put in natural order, ``frame_2`` before ``frame_10``.

    image_dir  the photos, for a strategy that looks at them
    strategy   a name of `dad_sfm.pairing.PAIRING`, such as "exhaustive" or "retrieval", or several,
               "spatial+sequential"; ``options`` are theirs (``{"spatial.neighbors": 5}`` where it
               must be said whose).  With several, ``<output>.origins.txt`` says which chose each

    Raises `PairsError` for fewer than two images, `ConfigError` for an unknown strategy or option,
    and `FileNotFoundError`.
    """
    strategies = make_strategies(strategy, options)
    names, source = _names(image_list, features)
    if len(names) < 2:
        raise PairsError(f"{source}: {len(names)} image(s), at least 2 are needed to make a pair")
    images = Collection(
        names,
        Path(features) if features is not None else None,
        Path(image_dir) if image_dir is not None else None,
    )
    origins_path(output).unlink(missing_ok=True)
    if len(strategies) == 1:
        count = write_pairs(output, strategies[0][1](images))
    else:
        found = union(images, strategies)
        count = write_pairs(output, found)
        write_origins(output, found)
        for name, _ in strategies:
            logger.info("%s: %d pairs", name, sum(name in came for came in found.values()))
    every = len(names) * (len(names) - 1) // 2
    share = 100 * count / every
    logger.info(
        "%s: %d pairs of %d images (%s), %.0f%% of all", output, count, len(names), strategy, share
    )
    return Path(output)


def _names(
    image_list: Path | str | Iterable[str] | None, features: Path | str | None
) -> tuple[list[str], str]:
    """The unique names to pair, in their order, and where they came from."""
    if image_list is None and features is None:
        raise PairsError("give the images as image_list (a list or a file) or as features (a file)")
    if image_list is None:
        with FeatureReader(features) as reader:  # type: ignore[arg-type]
            return sorted(reader.names(), key=natural_order), str(features)
    if isinstance(image_list, (str, Path)):
        return read_names(image_list), str(image_list)
    return list(dict.fromkeys(Path(name).as_posix() for name in image_list)), "image_list"


if __name__ == "__main__":
    sys.exit(run_step(main))
