"""Photometric augmentation of whole batches on the training device."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
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

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Change B×3×H×W images in [0, 1]; the result stays in [0, 1]."""
        B = len(images)

        def draw(*shape: int) -> Tensor:
            return torch.rand(B, *shape, generator=generator).to(images.device)

        def spread(strength: float, channels: int = 1) -> Tensor:
            return (2 * draw(channels, 1, 1) - 1) * strength

        images = images.clamp(1e-4, 1) ** spread(self.gamma).exp()
        mean = images.mean(dim=(1, 2, 3), keepdim=True)
        images = (images - mean) * (1 + spread(self.contrast)) + mean + spread(self.brightness)
        images = images * (1 + spread(self.colour, 3))
        grey = draw(1, 1, 1) < self.grey
        images = torch.where(grey, images.mean(dim=1, keepdim=True), images)
        sigma_px = draw(1)[:, 0] * self.blur_px * (draw(1)[:, 0] < self.blurred)
        images = gaussian_blur(images, sigma_px)
        noise = torch.randn(images.shape, generator=generator).to(images.device)
        return (images + noise * draw(1, 1, 1) * self.noise).clamp(0, 1)


def gaussian_blur(images: Tensor, sigma_px: Tensor, radius: int = 4) -> Tensor:
    """Blur each of B×C×H×W images by its own Gaussian (B standard deviations in pixels)."""
    B, C, H, W = images.shape
    taps = torch.arange(-radius, radius + 1, device=images.device, dtype=images.dtype)
    kernel = torch.exp(-0.5 * (taps / sigma_px.clamp(min=1e-2)[:, None]) ** 2)
    kernel = (kernel / kernel.sum(dim=1, keepdim=True)).repeat_interleave(C, dim=0)[:, None]
    flat = F.pad(images.reshape(1, B * C, H, W), (radius,) * 4, mode="reflect")
    flat = F.conv2d(flat, kernel[..., None, :], groups=B * C)
    return F.conv2d(flat, kernel[..., :, None], groups=B * C).reshape(B, C, H, W)
