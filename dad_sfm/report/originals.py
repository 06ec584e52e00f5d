"""The photos that results were made from."""

from __future__ import annotations

from pathlib import Path

from ..io.output import Output
from ..io.store import FeatureReader, StoreError


def photo_path(files: Output, name: str) -> Path:
    """The photo of a name: in ``images`` beside the model, else where its features were found."""
    if files.images.exists():
        return files.images / name
    try:
        with FeatureReader(files.features) as reader:
            return Path(reader.image_dir or files.images) / name
    except (FileNotFoundError, StoreError):
        return files.images / name
