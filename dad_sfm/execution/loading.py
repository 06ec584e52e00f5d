"""From files to pixels for a detector: resized, upright, masked, in 8 bits."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ..core.config import ConfigError
from ..geometry import pixel_frames
from ..io.grey_levels import FolderRanges, GreyRange
from ..io.images import resized, size_for
from ..io.masks import MaskFiles
from ..io.photos import is_deep_file, read_photo, sample_grey_levels
from ..io.turns import read_turns

logger = logging.getLogger(__name__)


# hloc's names.  OpenCV's other interpolations have no anti-aliasing, which detectors suffer from.
INTERPOLATIONS = {
    "pil_bicubic": Image.Resampling.BICUBIC,
    "pil_linear": Image.Resampling.BILINEAR,
    "pil_lanczos": Image.Resampling.LANCZOS,
    "pil_nearest": Image.Resampling.NEAREST,
    "cv2_area": Image.Resampling.BOX,
}


@dataclass(frozen=True)
class Preprocessing:
    """How photos become what a detector sees; the first five are hloc's.

    resize_max    long side in px of the image that is worked on, None for the original size
    resize_force  enlarge smaller images to it too
    grayscale     without colours: all three channels are the luma
    interpolation of the resizing, always with anti-aliasing: ``pil_bicubic``, ``pil_linear``,
                  ``pil_lanczos``, ``pil_nearest``, or ``cv2_area``, the mean over areas
    dfactor       both sides are multiples of it, and of what the network asks for
    upright       turn photos by their EXIF orientation for detection and description; keypoints
                  are stored in the file's own pixel grid all the same
    alpha_mask    no keypoints on transparent pixels
    turns         file of quarter turns of photos that are not upright by their EXIF, see `io.turns`
    mask_dir      folder of masks, ``<name of the photo>.png``, black where no keypoints may be
    camera_mask   one mask for all photos
    grey_range    (low, high) grey levels of files of more than 8 bits that become 0 and 255;
                  None for a robust range of each folder
    """

    resize_max: int | None = None
    resize_force: bool = False
    grayscale: bool = False
    interpolation: str = "pil_bicubic"
    dfactor: int = 1
    upright: bool = True
    turns: str | None = None
    alpha_mask: bool = True
    mask_dir: str | None = None
    camera_mask: str | None = None
    grey_range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.interpolation not in INTERPOLATIONS:
            raise ConfigError(
                f"interpolation: {self.interpolation!r} is not one of {', '.join(INTERPOLATIONS)}"
            )
        if self.dfactor < 1:
            raise ConfigError(f"dfactor: {self.dfactor} is less than 1")
        if self.grey_range is not None and not self.grey_range[0] < self.grey_range[1]:
            raise ConfigError(
                f"grey_range: {self.grey_range} is not (low, high) with low below high"
            )


@dataclass(frozen=True)
class Photo:
    """A decoded image, ready for the detector.

    pixels         3×H×W uint8 RGB, resized and upright
    original_size  (W, H) of the file's own grid
    mask           H×W bool, True where keypoints may be; None: everywhere
    orientation    EXIF tag by which the pixels were turned upright
    """

    pixels: np.ndarray
    original_size: tuple[int, int]
    mask: np.ndarray | None = None
    orientation: int = 1

    @property
    def size(self) -> tuple[int, int]:
        """(W, H) of the pixels."""
        _, H, W = self.pixels.shape
        return W, H

    @property
    def upright_size(self) -> tuple[int, int]:
        """(W, H) of the original, turned upright."""
        W, H = self.original_size
        return (H, W) if self.orientation >= 5 else (W, H)

    @property
    def scale(self) -> float:
        """Pixels of the original per pixel that is worked on, the larger of both axes."""
        return max(w / v for w, v in zip(self.upright_size, self.size, strict=True))

    def stored_px(self, keypoints_px: np.ndarray) -> np.ndarray:
        """Pixel-index points of the resized, upright image -> of the file's own grid."""
        upright_px = pixel_frames.resized_px(
            keypoints_px, source_size=self.size, target_size=self.upright_size
        )
        return pixel_frames.stored_from_upright_px(
            upright_px, orientation=self.orientation, size=self.original_size
        )

    def stored_degrees(self, oris: np.ndarray) -> np.ndarray:
        """Directions in the upright image, degrees from x towards y -> in the file's own grid."""
        radians = np.deg2rad(oris)
        x, y = self._turn() @ np.stack([np.cos(radians), np.sin(radians)])
        return np.rad2deg(np.arctan2(y, x)).astype(oris.dtype)

    def stored_covariances(self, covariances: np.ndarray) -> np.ndarray:
        """N×2×2, px² of the resized, upright image -> px² of the file's own grid."""
        turn = self._turn()
        return (turn @ covariances @ turn.T * self.scale**2).astype(covariances.dtype)

    def _turn(self) -> np.ndarray:
        """2×2: directions of the upright image -> of the file's own grid."""
        corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        origin, x, y = pixel_frames.stored_from_upright_px(
            corners, orientation=self.orientation, size=self.original_size
        )
        return np.column_stack([x - origin, y - origin])


def load_photo(
    path: Path,
    preprocessing: Preprocessing,
    *,
    stride: int = 1,
    masks: tuple[Path, ...] = (),
    grey_range: GreyRange | None = None,
    turn: int = 0,
) -> Photo:
    """Decode and resize a file.  Raises `ImageError`."""
    found = read_photo(
        path,
        resize_max=preprocessing.resize_max,
        enlarge=preprocessing.resize_force,
        stride=math.lcm(stride, preprocessing.dfactor),
        resample=INTERPOLATIONS[preprocessing.interpolation],
        upright=preprocessing.upright,
        alpha=preprocessing.alpha_mask,
        masks=masks,
        grey_range=grey_range or preprocessing.grey_range,
        turn=turn,
    )
    pixels = _channels(np.asarray(found.image), preprocessing)
    return Photo(pixels, found.stored_size, found.mask, found.orientation)


def prepare(image: Image.Image, preprocessing: Preprocessing, *, stride: int = 1) -> Photo:
    """Resize an RGB image in memory, both sides to multiples of ``stride``."""
    size = size_for(
        image.size,
        resize_max=preprocessing.resize_max,
        enlarge=preprocessing.resize_force,
        stride=math.lcm(stride, preprocessing.dfactor),
    )
    small = resized(image, size, INTERPOLATIONS[preprocessing.interpolation])
    return Photo(_channels(np.asarray(small), preprocessing), image.size)


def _channels(pixels: np.ndarray, preprocessing: Preprocessing) -> np.ndarray:
    """H×W×3 uint8 -> 3×H×W, all alike where no colours are wanted."""
    if preprocessing.grayscale:
        grey = np.asarray(Image.fromarray(pixels).convert("L"))
        return np.repeat(grey[None], 3, axis=0)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


class PhotoLoader:
    """Loads the photos of a collection by name; may be called by several threads.

    names  of all photos of the collection: those of one folder are stretched to 8 bits alike
    """

    def __init__(
        self,
        image_dir: Path | str,
        names: Iterable[str],
        preprocessing: Preprocessing,
        *,
        stride: int = 1,
    ) -> None:
        root = Path(image_dir)
        self._root, self._preprocessing, self._stride = root, preprocessing, stride
        self._masks = MaskFiles(preprocessing.mask_dir, preprocessing.camera_mask)
        self._turns = {} if preprocessing.turns is None else read_turns(preprocessing.turns)
        self._ranges = FolderRanges(names, lambda name: sample_grey_levels(root / name))
        self._masked: Counter[str] = Counter()

    def __call__(self, name: str) -> Photo:
        """Raises `ImageError`."""
        path = self._root / name
        grey_range = self._preprocessing.grey_range
        if grey_range is None and is_deep_file(path):
            grey_range = self._ranges(name)
        masks = self._masks.of(name)
        photo = load_photo(
            path,
            self._preprocessing,
            stride=self._stride,
            masks=masks,
            grey_range=grey_range,
            turn=self._turns.get(name, 0),
        )
        if photo.mask is not None and not masks:
            self._masked["alpha channels"] += 1
        return photo

    def log_masks(self) -> None:
        """Say which masks were used, where that was not asked for, or could not be done."""
        for what, count in self._masked.items():
            logger.info("%d photos: %s used as masks, no keypoints there", count, what)
        if self._masks.missing:
            logger.warning(
                "%d photos have no mask in %s, first: %s",
                len(self._masks.missing),
                self._preprocessing.mask_dir,
                min(self._masks.missing),
            )
