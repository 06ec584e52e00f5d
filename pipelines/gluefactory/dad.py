"""DaD, and every other preset of dad_sfm, as an extractor of Glue Factory.

Put this file into ``gluefactory/models/extractors/``; the README beside it says the rest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import torch
from gluefactory.models.base_model import BaseModel
from PIL import Image
from torch import Tensor

from dad_sfm import extract_features
from dad_sfm.core import config
from dad_sfm.core.types import Features
from dad_sfm.execution.extractor import Extractor
from dad_sfm.execution.loading import prepare
from dad_sfm.geometry.pixel_frames import colmap_from_px


class DaD(BaseModel):
    """Keypoints, scores and descriptors of a batch, as `dad_sfm.extract_features` gives them.

    preset               a name of `dad_sfm.extract_features.confs`
    detector             options of its detector, such as ``weights``, instead of the preset's
    descriptor           options of its descriptor, likewise
    max_num_keypoints    points per image
    force_num_keypoints  exactly so many: filled up with random points of score and descriptor 0,
                         which batches for training need
    threshold, top_k, model_path
                         as RIPE's users know them: ``detection_threshold`` of the detector, instead
                         of ``max_num_keypoints``, and ``weights`` of the detector
    resize_max           long side in px at which the network works, instead of the preset's; 0 for
                         the size of the image.  Points are in pixels of the image in any case
    """

    default_conf: ClassVar[dict[str, Any]] = {
        "preset": "dad-nano+aliked-n16",
        "detector": {},
        "descriptor": {},
        "max_num_keypoints": 2048,
        "force_num_keypoints": False,
        "resize_max": None,
        "threshold": None,
        "top_k": None,
        "model_path": None,
        "trainable": False,
    }
    required_data_keys: ClassVar[list[str]] = ["image"]

    def _init(self, conf: Any) -> None:
        unknown = set(conf) - {*self.default_conf, *BaseModel.default_conf, "apply_loss"}
        if unknown:
            raise ValueError(f"dad: unknown option {', '.join(sorted(unknown))}")
        self._preset = _preset(conf)
        self._extractors: dict[str, Extractor] = {}
        self._extractor_on("cpu")  # mistakes show here, not in the first batch
        self.set_initialized()

    def _extractor_on(self, device: str) -> Extractor:
        if device not in self._extractors:
            self._extractors = {device: Extractor(self._preset.model, device=device)}
        return self._extractors[device]

    def _forward(self, data: dict[str, Any]) -> dict[str, Tensor]:
        """``image`` is B×3×H×W or B×1×H×W in [0, 1]; ``image_size``, B×2 (W, H), says what of it
        is image and not padding.

        ``keypoints`` B×N×2, the centre of the top-left pixel is (0.5, 0.5); ``keypoint_scores``
        B×N; ``descriptors`` B×N×D of unit length, unless the preset has none.
        """
        images = data["image"]
        H, W = images.shape[-2:]
        sizes = data.get("image_size", [(W, H)] * len(images))
        found = [self._extract(*each) for each in zip(images, sizes, strict=True)]
        numbers = {len(features) for features in found}
        if self.conf.force_num_keypoints:
            number = _most(self.conf)
        elif len(numbers) == 1:
            (number,) = numbers
        else:
            raise ValueError(
                f"dad: the images of a batch have different numbers of keypoints, {numbers}; set "
                "force_num_keypoints, or take one image at a time"
            )
        filled = [_filled(*each, number) for each in zip(found, sizes, strict=True)]
        return {key: torch.stack([f[key] for f in filled]).to(images.device) for key in filled[0]}

    def _extract(self, image: Tensor, size: Any) -> Features:
        W, H = map(int, size)
        pixels = (image[:, :H, :W].detach().clamp(0, 1) * 255).round().byte()
        rgb = pixels.expand(3, -1, -1).permute(1, 2, 0).cpu().numpy()
        extractor = self._extractor_on(str(image.device))
        preprocessing = self._preset.preprocessing
        photo = prepare(Image.fromarray(rgb), preprocessing, stride=extractor.stride)
        return extractor([photo])[0]

    def loss(self, pred: dict[str, Tensor], data: dict[str, Any]) -> Any:
        """There is nothing to train here."""
        raise NotImplementedError


def _most(conf: Any) -> int:
    """The budget of points per image."""
    return int(conf.max_num_keypoints if conf.top_k is None else conf.top_k)


def _preset(conf: Any) -> extract_features.ExtractionConf:
    if conf.preset not in extract_features.confs:
        raise ValueError(
            f"dad: unknown preset {conf.preset!r}; there are: {', '.join(extract_features.confs)}"
        )
    preset = config.build(
        extract_features.ExtractionConf, extract_features.confs[conf.preset], where="conf"
    )
    given = {"detection_threshold": conf.threshold, "weights": conf.model_path}
    detector = {**{k: v for k, v in given.items() if v is not None}, **dict(conf.detector)}
    model = {**preset.model, **detector, "max_keypoints": _most(conf)}
    if conf.descriptor:
        model["descriptor"] = {**model.get("descriptor", {}), **dict(conf.descriptor)}
    preprocessing = preset.preprocessing
    if conf.resize_max is not None:
        preprocessing = replace(preprocessing, resize_max=conf.resize_max or None)
    return replace(preset, model=model, preprocessing=preprocessing)


def _filled(features: Features, size: Any, number: int) -> dict[str, Tensor]:
    """Glue Factory's tensors of one image; ``number`` points, the surplus ones anywhere in it."""
    surplus = number - len(features)
    keypoints = torch.from_numpy(colmap_from_px(features.keypoints_px))
    anywhere = torch.rand(surplus, 2) * torch.tensor([float(side) for side in size])
    scores = torch.from_numpy(features.scores)
    filled = {
        "keypoints": torch.cat([keypoints, anywhere]),
        "keypoint_scores": torch.cat([scores, scores.new_zeros(surplus)]),
    }
    if features.descriptors is not None:
        descriptors = torch.from_numpy(features.descriptors)
        zeros = descriptors.new_zeros(surplus, descriptors.shape[1])
        filled["descriptors"] = torch.cat([descriptors, zeros])
    return filled
