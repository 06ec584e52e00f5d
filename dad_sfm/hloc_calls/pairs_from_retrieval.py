"""hloc's ``pairs_from_retrieval``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from ..colmap.model import read_model
from ..io.pairs_file import Pair, PairsError, write_pairs
from ..io.store import entry_names
from ..retrieval.image_vectors import stored_vectors
from ..retrieval.top_k import top_k_among
from .options import Names, listed_names

Prefix = str | Sequence[str]
File = Path | str


def main(
    descriptors: File,
    output: File,
    num_matched: int,
    query_prefix: Prefix | None = None,
    query_list: Names | None = None,
    db_prefix: Prefix | None = None,
    db_list: Names | None = None,
    db_model: File | None = None,
    db_descriptors: File | Sequence[File] | None = None,
) -> None:
    """Pair every query with the database images that are most similar, never with itself.

    descriptors     file of global descriptors, ``<name>/global_descriptor``
    query_prefix, query_list
                    of the images that are queries, by default all of the file
    db_prefix, db_list, db_model
                    of those that they are paired with: beginnings of names, a list (or a file of
                    one), the images of a COLMAP model; by default all
    db_descriptors  the file, or the files, of the database's descriptors, if of its own
    """
    files = _files(descriptors if db_descriptors is None else db_descriptors)
    homes = {name: file for file in files for name in entry_names(file, "global_descriptor")}
    if db_model is not None:
        references = sorted(read_model(db_model).images)
    else:
        references = _chosen(list(homes), db_prefix, db_list, "db")
    known = entry_names(descriptors, "global_descriptor")
    queries = _chosen(known, query_prefix, query_list, "query")
    theirs: dict[str, np.ndarray] = {}
    for file in files:
        names = [name for name in references if homes.get(name, files[0]) == file]
        theirs.update(zip(names, stored_vectors(file, names) if names else (), strict=True))
    own = stored_vectors(descriptors, queries)
    write_pairs(output, _pairs(queries, own, theirs, num_matched))


def _pairs(
    queries: Sequence[str], own: np.ndarray, theirs: Mapping[str, np.ndarray], num_matched: int
) -> Iterator[Pair]:
    references, vectors = list(theirs), np.stack(list(theirs.values()))
    for i, similar in top_k_among(own, vectors, num_matched + 1):  # one of them may be the query
        others = [references[j] for j in similar if references[j] != queries[i]]
        for name in others[:num_matched]:
            yield queries[i], name


def _files(given: File | Sequence[File]) -> list[Path]:
    return [Path(given)] if isinstance(given, (str, Path)) else [Path(file) for file in given]


def _chosen(
    known: Sequence[str], prefix: Prefix | None, listed: Names | None, what: str
) -> list[str]:
    if prefix is not None:
        beginnings = prefix if isinstance(prefix, str) else tuple(prefix)
        chosen = [name for name in known if name.startswith(beginnings)]
    else:
        chosen = list(known) if listed is None else listed_names(listed)
    if not chosen:
        raise PairsError(f"{what}_prefix or {what}_list names no image of the descriptors' file")
    return chosen
