"""``hloc.matchers.dad_sfm``: absolute imports, for hloc loads this file under its own name."""

from __future__ import annotations

from typing import Any

import torch
from hloc.utils.base_model import BaseModel
from torch import Tensor

from dad_sfm.hloc_bridge.matches import PairMatches


class DadSfmMatches(BaseModel):
    """Any matcher preset of dad_sfm that looks at no photo."""

    required_inputs = ("keypoints0", "keypoints1", "image_size0", "image_size1")

    def _init(self, conf: dict[str, Any]) -> None:
        self._matches = PairMatches(conf)

    def _forward(self, data: dict[str, Tensor]) -> dict[str, Tensor]:
        found = self._matches(data)
        return {
            "matches0": torch.from_numpy(found.matches0)[None],
            "matching_scores0": torch.from_numpy(found.scores0)[None],
        }
