"""What a dense matcher is: a `Matcher` that finds where every point of a photo is in another, and
links the keypoints of any detector by it, without descriptors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from ...core.types import Matches
from ...geometry.mappings import Warp
from ..at_keypoints import LinkConf, link, no_matches
from ..base import View


class DenseMatcher(ABC):
    """Adds everything but the network to a class that declares ``Conf`` (with the fields of
    `LinkConf`), its terms ``licence`` and its ``identity``, and finds a `warp`.

    What depends on one image only is computed by ``view.once``.
    """

    needs_descriptors = False
    needs_images = True
    identity: dict[str, Any]

    def __init__(self, conf: LinkConf) -> None:
        self._linking = conf

    def __call__(self, view0: View, view1: View) -> Matches:
        """Match the keypoints of a pair; without keypoints no photo is looked at."""
        if len(view0.features) == 0 or len(view1.features) == 0:
            return no_matches(view0.features)
        sides = view0.upright_features, view1.upright_features
        if self._linking.both_ways:
            return link(*sides, *self.warps(view0, view1), self._linking)
        return link(*sides, self.warp(view0, view1), None, self._linking)

    @abstractmethod
    def warp(self, view0: View, view1: View) -> Warp:
        """Where the points of image 0 are in image 1, both turned upright."""

    def warps(self, view0: View, view1: View) -> tuple[Warp, Warp]:
        """The warps both ways; to be overridden where one run of the network gives both."""
        return self.warp(view0, view1), self.warp(view1, view0)
