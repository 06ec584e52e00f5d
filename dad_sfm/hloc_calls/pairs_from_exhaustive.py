"""hloc's ``pairs_from_exhaustive``."""

from __future__ import annotations

from pathlib import Path

from ..io.pairs_file import PairsError, write_pairs
from ..io.store import FeatureReader
from ..pairs import main as pair
from .options import Names, listed_names


def main(
    output: Path | str,
    image_list: Names | None = None,
    features: Path | str | None = None,
    ref_list: Names | None = None,
    ref_features: Path | str | None = None,
) -> None:
    """Write all pairs of the images; or, with references, each image with each of these."""
    if ref_list is None and ref_features is None:
        pair(output, image_list, features)
        return
    queries, references = _names(image_list, features), _names(ref_list, ref_features)
    write_pairs(output, ((query, name) for query in queries for name in references))


def _names(listed: Names | None, features: Path | str | None) -> list[str]:
    if listed is not None:
        return listed_names(listed)
    if features is None:
        raise PairsError("give a list of images or a feature file, of the references too")
    with FeatureReader(features) as reader:
        return reader.names()
