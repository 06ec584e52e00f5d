"""Photometric augmentation of whole batches on the training device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Photometric:
    """Strengths; each image draws its own values uniformly up to them (0 = off)."""

    brightness: float = 0.25  # added, in units of the full range
    contrast: float = 0.4  # factor 1 ± this about the mean
    gamma: float = 0.4  # exponent exp(± this)
    colour: float = 0.15  # factor 1 ± this per channel
    grey: float = 0.1  # probability of a grey image
    blur_px: float = 1.2  # standard deviation of the Gaussian
    blurred: float = 0.4  # probability of blur at all
    noise: float = 0.04  # standard deviation of Gaussian noise

    def __call__(self, images: Tensor, *, seed: int) -> Tensor:
        """Change B×3×H×W images in [0, 1]; the result stays in [0, 1].

        Everything is drawn on the images' device: equal seeds give equal values on equal devices.
        """
        B, device = len(images), images.device
        generator = torch.Generator(device).manual_seed(seed)

        def draw(*shape: int) -> Tensor:
            return torch.rand(B, *shape, generator=generator, device=device)

        def spread(strength: float, channels: int = 1) -> Tensor:
            return (2 * draw(channels, 1, 1) - 1) * strength

        images = images.clamp(min=1e-4) ** spread(self.gamma).exp()
        # Contrast, brightness and colour are one affine change, with one clip at the very end;
        # kornia's functions would clip after each, and pass over the images more often.
        mean = images.mean(dim=(1, 2, 3), keepdim=True)
        contrast, brightness = 1 + spread(self.contrast), spread(self.brightness)
        colour = 1 + spread(self.colour, 3)
        offset = (mean * (1 - contrast) + brightness) * colour
        images = torch.addcmul(offset, images, contrast * colour)
        grey = draw(1, 1, 1) < self.grey
        images = torch.where(grey, images.mean(dim=1, keepdim=True), images)
        images = gaussian_blur(images, draw() * self.blur_px * (draw() < self.blurred))
        noise = torch.randn(images.shape, generator=generator, device=device)
        return torch.addcmul(images, noise, draw(1, 1, 1) * self.noise).clamp_(0, 1)

    def on_views(self, views: Sequence[Tensor], *, seed: int) -> list[Tensor]:
        """Change the images of each view in turn: two batches fit a CPU's caches better than one
        twice as large, and a GPU does not mind."""
        return [self(images, seed=seed + number) for number, images in enumerate(views)]


def gaussian_blur(images: Tensor, sigma_px: Tensor, radius: int = 4) -> Tensor:
    """Blur each of B×C×H×W images by its own Gaussian (B standard deviations in pixels)."""
    from kornia.filters import gaussian_blur2d

    sigma = sigma_px.clamp(min=1e-2)[:, None].expand(-1, 2)
    return gaussian_blur2d(images, 2 * radius + 1, sigma)
