"""The page's photos, made while something else is waited for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from ...io.store import FeatureReader
from .evidence import MOST_IMAGES, spread
from .photos import SmallPhoto, side_for, small_photo


@contextmanager
def photos_ahead(
    features: Path, image_dir: Path, names: Sequence[str]
) -> Iterator[dict[str, SmallPhoto]]:
    """Fill a dictionary with small photos for `write_page` on a thread, until the end of the block.

    names  of the images that the report will have, in its order

    What is wrong with a photo is not said here: it is left out, and whoever needs it finds out.
    """
    chosen = [names[k] for k in spread(len(names), MOST_IMAGES)]
    ready: dict[str, SmallPhoto] = {}
    over = Event()

    def work() -> None:
        with suppress(OSError, ValueError), FeatureReader(features, photos=image_dir) as reader:
            for name in chosen:
                if over.is_set():
                    return
                with suppress(OSError, ValueError, MemoryError):
                    found = reader.read(name, descriptors=False)
                    ready[name] = small_photo(image_dir / name, found, side_for(len(chosen)))

    thread = Thread(target=work, name="photos of the page", daemon=True)
    thread.start()
    try:
        yield ready
    finally:
        over.set()
        thread.join()
