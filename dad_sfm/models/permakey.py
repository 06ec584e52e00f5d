"""PermaKey: object keypoints where a picture cannot be predicted from what is around.

Gopalakrishnan, van Steenkiste, Schmidhuber, ICLR 2021 (arXiv 2011.12930).  Sizes follow the
authors' published configuration.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .keypoint_maps import (
    ConvBlock,
    PaddedConv,
    Pointer,
    bumps,
    doubled,
    frame_px,
    placed_channels,
)
from .spatial_prediction import (
    PatchPredictor,
    error_maps,
    patches_and_neighbours,
    relative_error,
)

SIZE = 84  # px, side of the frames
LATENT = 32
_CELLS = SIZE // 4


def _stack(inputs: int, widths: Sequence[int], strides: Sequence[int]) -> nn.ModuleList:
    """Four convolutions, the first of kernel 4."""
    channels = [inputs, *widths]
    return nn.ModuleList(
        ConvBlock(channels[i], channels[i + 1], 4 if i == 0 else 3, stride)
        for i, stride in enumerate(strides)
    )


class PermaKey(nn.Module):
    """A variational autoencoder, predictors of patches of its features, and a network that puts
    keypoints where they err.  The three learn on gradients of their own."""

    def __init__(
        self,
        num_keypoints: int = 7,
        *,
        lsp_layers: Sequence[int] = (0, 1),
        lsp_hidden: Sequence[int] = (0, 512, 256),
        lsp_share: float = 1.0,
        width: float = 1.0,
        sigma: float = 0.12,
        placed: bool = False,
        sharpness: float = 1.0,
    ) -> None:
        """
        num_keypoints  K
        lsp_layers     convolutions, counted from 0, whose features are predicted
        lsp_hidden     widths of the predictors; 0 is that of their input
        lsp_share      share of the patches, drawn again each time, that training predicts with
                       gradients; all are for the error maps
        width          of the other networks, as a share of the publication's
        sigma          of the bumps, in units of half the frame
        placed, sharpness  see `Pointer`
        """
        super().__init__()
        self.lsp_layers, self.lsp_share, self.sigma = tuple(lsp_layers), lsp_share, sigma
        widths = [max(1, round(width * each)) for each in (32, 64, 64, 128)]
        strides = (1, 2, 2, 1)
        self.encoder = _stack(3, widths, strides)
        self.to_latent = nn.Linear(widths[-1] * _CELLS**2, 2 * LATENT)
        self.from_latent = nn.Linear(LATENT, _CELLS**2)
        self.decoder = _Decoder(widths)
        self.predictors = nn.ModuleList(
            PatchPredictor(widths[layer], lsp_hidden) for layer in self.lsp_layers
        )
        self.pointer = Pointer(
            _stack(placed_channels(len(self.lsp_layers), placed=placed), widths, strides),
            widths[-1],
            num_keypoints,
            placed=placed,
            sharpness=sharpness,
        )
        self.channels = widths[self.lsp_layers[-1]]

    def forward(self, frames: Tensor) -> dict[str, Tensor]:
        """Everything that the losses need, of B×3×84×84 frames in [0, 1].

        reconstruction            B×3×84×84
        mean, scale               B×32: the posterior of the latent
        predicted_L, patches_L    N×D rows of each predicted layer: patches of all frames, or some
        error_maps                B×L×84×84 in [0, 1]
        points, bumps             B×K×2 and B×K×21×21
        """
        features = self._encode(frames)
        mean, scale = self.to_latent(features[-1].flatten(1)).chunk(2, dim=1)
        scale = F.softplus(scale.float())
        latent = mean + scale * torch.randn_like(scale)
        seed = self.from_latent(latent).relu().view(-1, 1, _CELLS, _CELLS)
        output = {"reconstruction": self.decoder(seed), "mean": mean, "scale": scale}
        predictions, maps = self._errors(features)
        for layer, (predicted, patches) in zip(self.lsp_layers, predictions, strict=True):
            output[f"predicted_{layer}"], output[f"patches_{layer}"] = predicted, patches
        points = self.pointer(maps)
        return {
            **output,
            "error_maps": maps,
            "points": points,
            "bumps": bumps(points, H=_CELLS, W=_CELLS, sigma=self.sigma),
        }

    @torch.no_grad()
    def locate(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """B×K×2 points, B×C×h×w features of the last predicted layer, and B×L×84×84 error maps."""
        features = self._encode(frames)
        _, maps = self._errors(features)
        return self.pointer(maps), features[self.lsp_layers[-1]], maps

    def keypoints_px(self, points: Tensor) -> Tensor:
        """Pixel-index points in the frame."""
        return frame_px(points, cells=_CELLS, size=SIZE)

    def _encode(self, frames: Tensor) -> list[Tensor]:
        features = [frames]
        for block in self.encoder:
            features.append(block(features[-1]))
        return features[1:]

    def _errors(self, features: Sequence[Tensor]) -> tuple[list[tuple[Tensor, Tensor]], Tensor]:
        """Predicted and true patches of each layer, and the error maps, without gradients into
        the features and out of the maps."""
        predictions, errors, sizes = [], [], []
        for layer, predictor in zip(self.lsp_layers, self.predictors, strict=True):
            given = features[layer].detach()
            patches, neighbours = patches_and_neighbours(given)
            rows, targets = neighbours.flatten(0, 1), patches.flatten(0, 1)
            if self.training and self.lsp_share < 1:
                with torch.no_grad():
                    everywhere = predictor(rows)
                drawn = torch.randperm(len(rows), device=rows.device)
                drawn = drawn[: max(2, round(self.lsp_share * len(rows)))]
                predictions.append((predictor(rows[drawn]), targets[drawn]))
            else:
                everywhere = predictor(rows)
                predictions.append((everywhere, targets))
            predicted = everywhere.detach().float().view_as(patches)
            errors.append(relative_error(predicted, patches.float()))
            sizes.append((given.shape[-2], given.shape[-1]))
        return predictions, error_maps(errors, sizes, size=SIZE)


class _Decoder(nn.Module):
    """From a 21×21 map to a frame, by nearest upsampling."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        first, second, third, last = widths
        self.coarse = ConvBlock(1, last, 3)
        self.middle = ConvBlock(last, third, 3)
        self.fine = nn.Sequential(
            ConvBlock(third, second, 3),
            ConvBlock(second, first, 3),
            ConvBlock(first, max(1, first // 2), 4),
            PaddedConv(max(1, first // 2), 3, 4),
            nn.BatchNorm2d(3),
        )

    def forward(self, seed: Tensor) -> Tensor:
        maps: Tensor = self.fine(doubled(self.middle(doubled(self.coarse(seed)))))
        return maps.sigmoid()
