"""What separates two photos of one place beside the viewpoint: light, weather, camera, file."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from .photometric import Photometric, gaussian_blur

_COARSE_PX = 64  # smooth fields are interpolated twice: bicubic at full size costs ten times this


@dataclass(frozen=True)
class Degradation:
    """Strengths; every image draws its own values.

    light, lit          largest logarithm of a smooth change of light, and the share of images
    tint                spread of that logarithm between the channels
    shadow, shadowed    largest share of light that a cast shadow takes, and the share of images
    blur_px, blurred    largest standard deviation of a Gaussian, and the share of images
    jpeg, compressed    range of the qualities of JPEG compression, and the share of images
    """

    photometric: Photometric = field(
        default_factory=lambda: Photometric(
            contrast=0.6, gamma=0.6, colour=0.2, noise=0.04, blur_px=0.0, blurred=0.0
        )
    )
    light: float = 0.5
    lit: float = 0.5
    tint: float = 0.25
    shadow: float = 0.65
    shadowed: float = 0.4
    blur_px: float = 1.6
    blurred: float = 0.4
    jpeg: tuple[int, int] = (25, 90)
    compressed: float = 0.3

    def __call__(self, images: Tensor, *, seed: int) -> Tensor:
        """Change B×3×H×W images in [0, 1]; the result stays in [0, 1]."""
        rng = np.random.default_rng(seed)
        generator = torch.Generator(images.device).manual_seed(seed)
        light = self._light(images, generator) * self._shadows(images, generator)
        images = self.photometric((images * light).clamp_(0, 1), seed=seed)
        for i in range(len(images)):  # only those that are drawn
            if rng.random() < self.blurred:
                sigma = torch.tensor([rng.random() * self.blur_px], device=images.device)
                images[i : i + 1] = gaussian_blur(images[i : i + 1], sigma)
            if rng.random() < self.compressed:
                images[i] = jpeg(images[i], int(rng.integers(*self.jpeg)))
        return images

    def _light(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Bright and dark sides, each image with a tint of its own."""
        B = len(images)
        strength = _uniform(B, generator) * self.light * (_uniform(B, generator) < self.lit)
        tint = torch.randn(B, 3, 1, 1, generator=generator, device=generator.device)
        return (smooth_field(images, generator) * strength * (1 + self.tint * tint)).exp()

    def _shadows(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Regions with soft or sharp edges."""
        B = len(images)
        edge = 4 * (3.5 * _uniform(B, generator) + 0.5).exp()
        depth = _uniform(B, generator) * self.shadow * (_uniform(B, generator) < self.shadowed)
        return 1 - depth * (smooth_field(images, generator) * edge).sigmoid()


def smooth_field(images: Tensor, generator: torch.Generator) -> Tensor:
    """B×1×H×W smooth random fields of unit variance at their nodes, 2 to 7 nodes per side."""
    nodes = int(torch.randint(2, 8, (), generator=generator, device=generator.device))
    values = torch.randn(len(images), 1, nodes, nodes, generator=generator, device=generator.device)
    coarse = F.interpolate(values, (_COARSE_PX, _COARSE_PX), mode="bicubic", align_corners=False)
    return F.interpolate(coarse, images.shape[-2:], mode="bilinear", align_corners=False)


def jpeg(image: Tensor, quality: int) -> Tensor:
    """A 3×H×W image in [0, 1] after JPEG compression."""
    pixels = (image.permute(1, 2, 0) * 255).round().byte().cpu().numpy()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    read = np.array(Image.open(file))
    return torch.from_numpy(read).to(image.device).permute(2, 0, 1).float() / 255


def _uniform(count: int, generator: torch.Generator) -> Tensor:
    return torch.rand(count, 1, 1, 1, generator=generator, device=generator.device)
