"""Features of a stream of images: everything that can overlap does.

On a CPU each core takes an image from the file to its features (`cores`).  On an accelerator
threads decode ahead, one thread runs the networks on batches of images of one size, and the
caller, who writes, is a third.  Either way features come out in the order of the names, and a
bounded number of them is in memory.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator

from ..core.types import Features
from ..io.images import ImageError
from .cores import one_per_core
from .extractor import Extractor
from .loading import Photo
from .prefetch import prefetch

logger = logging.getLogger(__name__)

Result = tuple[str, Features | Exception]
Batch = list[tuple[str, Photo | ImageError]]

ACCELERATOR_BATCH = 8  # images at first; fewer once memory ran out


def stream_features(
    load: Callable[[str], Photo],
    extractor: Extractor,
    names: Iterable[str],
    *,
    batch_size: int | None = None,
    workers: int | None = None,
) -> Iterator[Result]:
    """The features of each image, or why there are none, in the order of the names.

    load        a name -> its photo, raising `ImageError`; called by several threads
    batch_size  images of one size, next to each other in the order of the names, that go through
                the networks together; None for 1 on a CPU and `ACCELERATOR_BATCH` elsewhere.  A
                batch that does not fit into memory is halved, and so are those after it
    workers     on a CPU, images that are worked on at the same time, one core each; elsewhere,
                threads that decode.  None for as many as there are cores, 0 for none: all is done
                in the calling thread

    Errors of an image (`ImageError`, RuntimeError, ValueError) come in place of its features; any
    other error is raised.
    """
    on_cpu = extractor.device.type == "cpu"
    run = _Runner(extractor, batch_size or (1 if on_cpu else ACCELERATOR_BATCH))
    if on_cpu and run.batch_size == 1:
        images = one_per_core(lambda name: run([_loaded(load, name)]), names, workers=workers)
        for _, future in images:
            yield from future.result()
        return
    photos = prefetch(lambda name: _loaded(load, name), names, workers=workers)
    batches = _batches((future.result() for _, future in photos), run)
    for _, results in prefetch(run, batches, workers=0 if workers == 0 else 1):
        yield from results.result()


def _loaded(load: Callable[[str], Photo], name: str) -> tuple[str, Photo | ImageError]:
    try:
        return name, load(name)
    except ImageError as error:
        return name, error.with_traceback(None)


def _batches(photos: Iterable[tuple[str, Photo | ImageError]], run: _Runner) -> Iterator[Batch]:
    """Neighbours of one size, as many together as the runner takes at the time."""
    batch: Batch = []
    for name, photo in photos:
        if batch and (len(batch) >= run.batch_size or not _alike(batch[0][1], photo)):
            yield batch
            batch = []
        batch.append((name, photo))
    if batch:
        yield batch


def _alike(photo: Photo | ImageError, other: Photo | ImageError) -> bool:
    return isinstance(photo, Photo) and isinstance(other, Photo) and photo.size == other.size


class _Runner:
    """Runs batches through the extractor, in smaller parts where they fail.

    batch_size  how many images of one size shall come together
    """

    def __init__(self, extractor: Extractor, batch_size: int) -> None:
        self._extractor, self.batch_size = extractor, batch_size

    def __call__(self, batch: Batch) -> list[Result]:
        """The results of photos of one size, or of a single entry of any kind."""
        photos = [photo for _, photo in batch if isinstance(photo, Photo)]
        if not photos:
            return [(name, error) for name, error in batch if isinstance(error, ImageError)]
        try:
            features = self._extractor(photos)
        except (RuntimeError, ValueError) as error:
            # What a network cannot take, or memory that is not there.
            logger.debug("extraction of %d images failed", len(photos), exc_info=True)
            if len(photos) == 1:
                # The traceback would hold on to the tensors that filled the memory.
                return [(batch[0][0], error.with_traceback(None))]
            out_of_memory = is_out_of_memory(error)
        else:
            return [(name, found) for (name, _), found in zip(batch, features, strict=True)]
        half = len(batch) // 2
        if out_of_memory and half < self.batch_size:
            self.batch_size = half
            logger.warning("out of memory with %d images at once: %d now", len(batch), half)
        return [*self(batch[:half]), *self(batch[half:])]


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an accelerator, or torch on the CPU, lacked memory."""
    text = str(error).lower()
    return any(words in text for words in ("out of memory", "not enough memory", "can't allocate"))
