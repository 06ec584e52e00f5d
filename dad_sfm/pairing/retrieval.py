"""Every image with those that look most like it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..io.pairs_file import Pair, PairsError
from ..retrieval.image_vectors import VladConf, stored_vectors, vlad_vectors
from ..retrieval.top_k import top_k
from .base import Collection


@dataclass(frozen=True)
class RetrievalConf:
    """Options of `Retrieval`.

    num_matched  number of images that each image is paired with
    descriptors  file of global descriptors, hloc's (NetVLAD, MegaLoc, ...); by default VLAD of the
                 local descriptors of the feature file
    gap          images at most so many places before or after in the sequence are no candidates:
                 for closing loops beside sequential pairs
    words, seed  of the codebook of VLAD
    """

    num_matched: int = 20
    descriptors: str | None = None
    gap: int = 0
    words: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        if self.num_matched < 1 or self.gap < 0 or self.words < 1:
            raise PairsError("num_matched and words must be at least 1, and gap at least 0")


class Retrieval:
    """The most similar images by a global descriptor: for thousands of photos without an order.

    n images make at most n · num_matched pairs, in memory that grows with n only.
    """

    Conf = RetrievalConf

    def __init__(self, conf: RetrievalConf, *, device: str = "cpu") -> None:
        self.conf = conf

    def __call__(self, images: Collection) -> Iterator[Pair]:
        names, conf = images.names, self.conf
        if conf.descriptors is not None:
            vectors = stored_vectors(conf.descriptors, names)
        elif images.features is not None:
            vectors = vlad_vectors(images.features, names, VladConf(conf.words, conf.seed))
        else:
            raise PairsError(
                "retrieval needs the images' features, or a file of global descriptors"
            )
        for i, similar in top_k(vectors, conf.num_matched, gap=conf.gap):
            for j in similar:
                yield names[i], names[j]
