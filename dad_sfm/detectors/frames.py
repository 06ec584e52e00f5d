"""Detectors of local frames, kornia's: Hessian-Affine, Harris-Affine and Key.Net.

They give a point a scale and a shape, which the file formats have no room for; what is left of
them are descriptors, RootSIFT of the patch that the frame cuts out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from kornia import feature
from kornia.color import rgb_to_grayscale
from kornia.feature.scale_space_detector import get_default_detector_config
from kornia.geometry.transform import ScalePyramid
from torch import Tensor, nn

from ..core.device import choose_device
from ..core.registry import Licence
from ..models.kornia_version import require_kornia
from ..models.pretrained import Published, load_pretrained
from .base import Detections

DIM = 128
PATCH_SIZE = 32  # samples per side of a patch that is described
LEVELS = 3  # scales per octave
LEVEL_BORDER = 15  # pixels of each level in which kornia takes no point
KORNIA = "0.9"  # older ones misplace points, and list them level by level
KEYNET_URL = "https://github.com/axelBarroso/Key.Net-Pytorch/raw/main/model/weights"


@dataclass(frozen=True)
class FramesConf:
    """Options that all of them have.

    detection_threshold  least response; what is far below the default is rounding
    describe             with descriptors; without them neither shape nor orientation is estimated
    upright              descriptors keep the image's axes
    """

    max_keypoints: int = 2048
    detection_threshold: float = 0.0
    describe: bool = True
    upright: bool = False


@dataclass(frozen=True)
class HessianConf(FramesConf):
    """Options of `HessianAffine`.

    first_octave  -1 detects on the image enlarged twice, 0 on the image as it is
    """

    detection_threshold: float = 1e-6  # a blob of about one grey level in 255
    first_octave: Literal[-1, 0] = 0


@dataclass(frozen=True)
class HarrisConf(FramesConf):
    """Options of `HarrisAffine`.

    nms_size  a point is the maximum of this many pixels squared, on its level of the pyramid
    """

    detection_threshold: float = 1e-10  # the response goes with the fourth power of the contrast
    nms_size: int = 5


@dataclass(frozen=True)
class KeyNetConf(FramesConf):
    """Options of `KeyNet`; ``weights`` is the checkpoint of its authors, a path or a URL."""

    weights: str | None = None


class _Frames:
    """What they share: frames from a module of kornia's, their shape and their descriptors."""

    stride = 1
    affine = True  # patches are bent until their gradients are alike in all directions

    def __init__(self, conf: FramesConf, find: Any, identity: dict[str, Any], device: str) -> None:
        if conf.max_keypoints < 1 or conf.detection_threshold < 0:
            raise ValueError(
                f"{identity['name']}: max_keypoints must be at least 1, and detection_threshold "
                "at least 0"
            )
        self._device = choose_device(device)
        self._find = find.to(self._device).eval()
        self._conf = conf
        self.identity = {**identity, "dim": DIM} if conf.describe else identity
        adapt = nn.ModuleList()
        if self.affine:
            adapt.append(feature.LAFAffineShapeEstimator(preserve_orientation=False))
        if not conf.upright:
            adapt.append(feature.LAFOrienter(PATCH_SIZE))
        self._adapt = adapt.to(self._device).eval()
        sift = feature.SIFTDescriptor(PATCH_SIZE, rootsift=True)
        self._describe = feature.LAFDescriptor(sift, PATCH_SIZE).to(self._device).eval()

    @torch.inference_mode()
    def __call__(self, images: Tensor, masks: Tensor | None = None) -> list[Detections]:
        """Detect, and perhaps describe, in a batch of B×3×H×W images in [0, 1]; see `Detector`."""
        grey = rgb_to_grayscale(images.to(self._device))
        if masks is None:
            return [self._detect(image[None], None) for image in grey]
        masks = masks[:, None].to(self._device)
        return [self._detect(i[None], m[None]) for i, m in zip(grey, masks, strict=True)]

    def _detect(self, grey: Tensor, mask: Tensor | None) -> Detections:
        frames, scores = self._frames(grey, mask)
        kept = scores > self._conf.detection_threshold  # slots that nothing filled have the score 0
        budget = self._conf.max_keypoints
        frames, scores = frames[kept][:budget], scores[kept][:budget]
        descriptors = self._descriptors(grey, frames) if self._conf.describe else None
        return Detections(self._centres(frames), scores, descriptors)

    def _frames(self, grey: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """N×2×3 frames of a 1×1×H×W image, where the mask is true, and their scores, descending."""
        frames, scores = self._find(grey, mask)
        return frames[0], scores[0]

    def _centres(self, frames: Tensor) -> Tensor:
        """N×2 pixel-index points."""
        return frames[..., 2]

    def _descriptors(self, grey: Tensor, frames: Tensor) -> Tensor:
        if len(frames) == 0:
            return grey.new_zeros(0, DIM)
        frames = frames[None]
        for module in self._adapt:
            frames = module(frames, grey)
        return self._describe(grey, frames)[0]


class _Levels(_Frames):
    """Maxima of each level of a pyramid, on whole pixels of the level.

    kornia multiplies them by the level's scale; the centre of a pixel of the level lies elsewhere
    unless the scale is 1, on coarse levels by several pixels.
    """

    def _frames(self, grey: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        if min(grey.shape[-2:]) <= 2 * LEVEL_BORDER:  # and levels too small for kornia's filters
            return grey.new_zeros(0, 2, 3), grey.new_zeros(0)
        return super()._frames(grey, mask)

    def _centres(self, frames: Tensor) -> Tensor:
        scales = frames[:, 0, 0] / self._find.mr_size  # the frames are upright and round
        return frames[..., 2] + 0.5 * (scales[:, None] - 1)


class HessianAffine(_Frames):
    """Maxima of the determinant of the Hessian over place and scale, sub-pixel.

    Mikolajczyk and Schmid, "Scale & Affine Invariant Interest Point Detectors", IJCV 2004, with
    one step of Baumberg's shape adaptation.
    """

    Conf = HessianConf
    licence = Licence("Apache-2.0 (kornia)")

    def __init__(self, conf: HessianConf, *, device: str = "cpu") -> None:
        require_kornia(KORNIA, "hessian-affine")
        enlarge = conf.first_octave == -1
        find = feature.ScaleSpaceDetector(
            conf.max_keypoints,
            resp_module=feature.BlobHessian(),
            scale_pyr_module=ScalePyramid(LEVELS, 1.6, 32, extra_levels=2, double_image=enlarge),
        )
        super().__init__(conf, find, {"name": "hessian-affine"}, device)

    def _frames(self, grey: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        # kornia cuts to the budget before it drops what is too near the border: ask for all.
        scores, frames = self._find.detect(grey, grey.numel(), mask)
        return frames[0], scores[0]


class HarrisAffine(_Levels):
    """Maxima of the Harris response on each level of a pyramid, with an adapted shape.

    A corner has no scale of its own that the Harris response would tell, so that there is no
    maximum over scales here: one corner may be found on several levels.
    """

    Conf = HarrisConf
    licence = Licence("Apache-2.0 (kornia)")

    def __init__(self, conf: HarrisConf, *, device: str = "cpu") -> None:
        require_kornia(KORNIA, "harris-affine")
        levels = get_default_detector_config()
        levels.update({"nms_size": conf.nms_size, "up_levels": 0, "s_mult": 16.0})
        find = feature.MultiResolutionDetector(
            feature.CornerHarris(0.04), conf.max_keypoints, levels
        )
        super().__init__(conf, find, {"name": "harris-affine"}, device)


class KeyNet(_Levels):
    """Maxima of a small network's response on each level of a pyramid.

    Barroso-Laguna et al., "Key.Net: Keypoint Detection by Handcrafted and Learned CNN Filters",
    ICCV 2019.  Its authors describe with HardNet or HyNet.
    """

    Conf = KeyNetConf
    licence = Licence("Clear BSD (axelBarroso/Key.Net), network Apache-2.0 (kornia)")
    affine = False

    def __init__(self, conf: KeyNetConf, *, device: str = "cpu") -> None:
        require_kornia(KORNIA, "keynet")
        published = Published("keynet", f"{KEYNET_URL}/keynet_pytorch.pth", inside="state_dict")
        find: Any = feature.KeyNetDetector(pretrained=False, num_features=conf.max_keypoints)
        _, identity = load_pretrained(find.model, published, conf.weights, device=device)
        super().__init__(conf, find, identity, device)
