"""Which mask files belong to a photo: COLMAP's naming."""

from __future__ import annotations

from pathlib import Path

from .images import ImageError


class MaskFiles:
    """Masks of a collection: ``mask_dir/<name of the photo>.png``, and one of the camera for all.

    missing  names, asked for so far, that have no mask in ``mask_dir``; these are used unmasked

    Raises `ImageError` when the folder or the file of the camera is not there.
    """

    def __init__(self, mask_dir: Path | str | None, camera_mask: Path | str | None) -> None:
        self._dir = Path(mask_dir) if mask_dir is not None else None
        self._camera = Path(camera_mask) if camera_mask is not None else None
        if self._dir is not None and not self._dir.is_dir():
            raise ImageError(f"{self._dir}: no such folder of masks")
        if self._camera is not None and not self._camera.is_file():
            raise ImageError(f"{self._camera}: no such mask")
        self.missing: set[str] = set()

    def of(self, name: str) -> tuple[Path, ...]:
        """The masks of a photo, none to two."""
        found = () if self._camera is None else (self._camera,)
        if self._dir is None:
            return found
        path = self._dir / f"{name}.png"
        if not path.is_file():
            self.missing.add(name)
            return found
        return (*found, path)
