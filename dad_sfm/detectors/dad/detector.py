"""DaD as its authors' package presents it: load, detect, convert coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from ...core.device import choose_device
from ...geometry import pixel_frames
from ...io.images import read_image, size_for, to_array
from ...models.cpu_networks import network_on_cpu
from ...models.encoding import Encoding
from ...models.folding import fold_batch_norm
from ...models.imagenet import normalize
from ...models.score_maps import refine_subpixel
from .balance import balanced_keypoints, checked_balance, peaks_needed
from .orientations import checked_orientations, features_and_logits
from .peaks import strongest_peaks

BORDER = 4  # pixels of the resized image in which the original finds artefacts of the padding


class DaDDetector(nn.Module):
    """A network of the DaD family with everything around it; made by ``load_DaD`` and its kin.

    Conventions, those of the original (Parskatt/dad) unless said otherwise:

    - `load_image` scales the long side to ``resize`` and floors both sides to multiples of 8
      (the stride), or makes a square of ``resize`` when ``keep_aspect_ratio`` is false.
    - `detect` takes ``{"image": B×3×H×W}``, ImageNet-normalised.
    - ``keypoints`` are normalised and corner-based: the image spans [-1, 1], the centre of its
      top-left pixel is (-1 + 1/W, -1 + 1/H).  They are sorted by ``keypoint_probs``.
    - `to_pixel_coords` gives ``W * (x + 1) / 2``: there the top-left *corner* is 0, which is
      COLMAP's frame.  Feature files want half a pixel less: `pixel_frames.px_from_norm`.
    - ``keypoint_probs`` and ``dense_probs`` are the softmax over all pixels of the image; with
      ``balance`` the former are divided by how crowded it is around each point, to the power of
      ``balance``, so that they still order the points.
    - With ``remove_borders`` no point lies in the outer 4 pixels of the resized image.  Without,
      sub-pixel refinement takes the logit 0 for what is outside the image, so that points on the
      very border may leave it by up to a pixel; ``outside_logit=-inf`` keeps them in.

    Unlike the original:

    - never more points than there are true maxima: an image may give fewer than
      ``num_keypoints``, which may exceed the number of pixels; a blank image gives none;
    - float32 everywhere unless ``amp_dtype`` says otherwise;
    - sub-pixel refinement always looks at 3×3 pixels, whatever ``nms_size`` is;
    - weights are loaded from tensors-only files, and batch norm is folded into them.
    """

    topleft = 0.5  # what `to_pixel_coords` gives for the centre of the first pixel
    increase_coverage, coverage_pow, coverage_size = False, None, None  # see `balance`

    def __init__(
        self,
        network: nn.Module,
        *,
        resize: int = 1024,
        nms_size: int = 3,
        remove_borders: bool = True,
        subpixel: bool = True,
        subpixel_temp: float = 0.5,
        keep_aspect_ratio: bool = True,
        device: str = "auto",
        amp_dtype: torch.dtype | None = None,
        outside_logit: float = 0.0,
        orientations: int = 1,
        balance: float = 0.0,
        weights_sha256: str | None = None,
    ) -> None:
        super().__init__()
        target = choose_device(device)
        if target.type == "cpu" and amp_dtype == torch.float16:
            raise ValueError("float16 is slower than float32 on a CPU; use bfloat16 or None")
        folded = fold_batch_norm(network).to(target)
        self.network = folded.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.stride = int(network.stride)  # type: ignore[arg-type]
        self.resize = resize
        self.nms_size = nms_size
        self.remove_borders = remove_borders
        self.subpixel = subpixel
        self.subpixel_temp = subpixel_temp
        self.keep_aspect_ratio = keep_aspect_ratio
        self.amp_dtype = amp_dtype
        self._copy_for_cpu()
        self.network.register_load_state_dict_post_hook(self._copy_for_cpu)
        self.outside_logit = outside_logit
        self.orientations = checked_orientations(orientations)
        self.balance = checked_balance(balance)
        self.weights_sha256 = weights_sha256

    @property
    def device(self) -> torch.device:
        return next(self.network.parameters()).device

    def _copy_for_cpu(self, *_: object) -> None:
        """Make the network's form for CPUs, which has weights of its own, from the weights now."""
        on_cpu = self.device.type == "cpu"
        self._on_cpu = network_on_cpu(self.network, self.amp_dtype) if on_cpu else None

    @torch.inference_mode()
    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``{"image": B×3×H×W}`` -> ``{"scoremap": B×1×H×W float32 logits}``.

        A pair of batches, ``{"im_A": ..., "im_B": ...}``, counts as one of 2·B images.
        """
        pair = (batch[name] for name in ("im_A", "im_B"))
        images = torch.cat(tuple(pair)) if "im_A" in batch else batch["image"]
        return {"scoremap": self.encode(images).logits}

    @torch.inference_mode()
    def encode(self, images: Tensor) -> Encoding:
        """Run the network on B×3×H×W ImageNet-normalised images."""
        device = self.device  # elsewhere than at first, after `to`
        images = images.to(device, memory_format=torch.channels_last)
        on_cpu = self._on_cpu if device.type == "cpu" else None
        half = on_cpu is None and self.amp_dtype is not None
        with torch.autocast(device.type, dtype=self.amp_dtype, enabled=half):
            features, logits = features_and_logits(
                on_cpu or self.network, images, self.orientations
            )
        return Encoding(images, features, logits, self.weights_sha256)

    @torch.inference_mode()
    def detect_px(
        self, images: Tensor, num_keypoints: int, masks: Tensor | None = None
    ) -> tuple[list[tuple[Tensor, Tensor]], Tensor]:
        """Detect in B×3×H×W ImageNet-normalised images.

        ``masks``, B×H×W bool, says where keypoints may be: peaks outside are dropped before the
        best are chosen.  Returns an N×2 tensor of pixel-index points and their N scores for
        each image, best first, and the probabilities of all pixels, B×H×W.  Scores are
        probabilities, divided by crowding ** ``balance``.
        """
        return self.select(self.encode(images), num_keypoints, masks)

    @torch.inference_mode()
    def select(
        self, encoding: Encoding, num_keypoints: int, masks: Tensor | None = None
    ) -> tuple[list[tuple[Tensor, Tensor]], Tensor]:
        """Choose the keypoints of an encoded batch; returns what `detect_px` does."""
        logits = encoding.logits[:, 0]
        probs = logits.flatten(1).softmax(dim=1).view_as(logits)
        border = BORDER if self.remove_borders else 0
        needed = peaks_needed(num_keypoints, self.balance)
        peaks = strongest_peaks(probs, self.nms_size, needed, border=border, masks=masks)
        # On a blank image the network answers to its own padding.
        size = (probs.shape[2], probs.shape[1])
        found = [
            balanced_keypoints(
                (points[:0], best[:0]) if blank else (points, best),
                num_keypoints,
                self.balance,
                size=size,
                border=border,
            )
            for (points, best), blank in zip(peaks, _blank(encoding.images), strict=True)
        ]
        if self.subpixel:
            found = [
                (self._refine(image_logits, points), best)
                for image_logits, (points, best) in zip(logits, found, strict=True)
            ]
        return [(points.float(), best) for points, best in found], probs

    def _refine(self, logits: Tensor, points: Tensor) -> Tensor:
        return refine_subpixel(logits, points, self.subpixel_temp, outside=self.outside_logit)

    @torch.inference_mode()
    def detect(
        self, batch: Mapping[str, Tensor], *, num_keypoints: int, return_dense_probs: bool = False
    ) -> dict[str, Tensor]:
        """Detect the best ``num_keypoints`` points in ``{"image": B×3×H×W}``.

        Returns ``keypoints`` B×N×2 normalised, ``keypoint_probs`` B×N and, when asked,
        ``dense_probs`` B×H×W.  N is what the richest image of the batch has; rows that another
        image lacks have ``keypoint_probs`` 0 and are not a number.
        """
        H, W = batch["image"].shape[-2:]
        found, probs = self.detect_px(batch["image"], num_keypoints)
        keypoints_norm = [pixel_frames.norm_from_px(points, H=H, W=W) for points, _ in found]
        result = {
            "keypoints": nn.utils.rnn.pad_sequence(keypoints_norm, True, torch.nan),
            "keypoint_probs": nn.utils.rnn.pad_sequence([best for _, best in found], True),
        }
        return {**result, "dense_probs": probs} if return_dense_probs else result

    def detect_from_path(
        self, im_path: Path | str, *, num_keypoints: int, return_dense_probs: bool = False
    ) -> dict[str, Tensor]:
        """`detect` in an image file: B is 1, H×W the resized image."""
        return self.detect(
            self.load_image(im_path),
            num_keypoints=num_keypoints,
            return_dense_probs=return_dense_probs,
        )

    def load_image(
        self, im_path: Path | str, device: torch.device | str | None = None
    ) -> dict[str, Tensor]:
        """An image file as ``{"image": 1×3×H×W}`` for `detect`.  Raises `ImageError`."""
        image = read_image(im_path)
        size = (self.resize, self.resize)
        if self.keep_aspect_ratio:
            size = size_for(image.size, resize_max=self.resize, enlarge=True, stride=self.stride)
        pixels = torch.tensor(to_array(image, size), device=device or self.device)
        return {"image": normalize(pixels.permute(2, 0, 1).float() / 255)[None]}

    def to_pixel_coords(self, normalized_coords: Tensor, h: int, w: int) -> Tensor:
        """Normalised ...×2 -> pixels whose origin is the top-left corner (COLMAP's frame)."""
        return pixel_frames.colmap_from_px(pixel_frames.px_from_norm(normalized_coords, H=h, W=w))

    def to_normalized_coords(self, pixel_coords: Tensor, h: int, w: int) -> Tensor:
        """The inverse of `to_pixel_coords`."""
        return pixel_frames.norm_from_px(pixel_frames.px_from_colmap(pixel_coords), H=h, W=w)


def _blank(images: Tensor) -> list[bool]:
    """Of each image, whether all its pixels are equal."""
    return [_is_blank(image[:, ::8, ::8]) and _is_blank(image) for image in images]


def _is_blank(image: Tensor) -> bool:
    return bool((image == image[:, :1, :1]).all())
