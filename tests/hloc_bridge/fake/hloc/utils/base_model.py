"""hloc's base class of models, and how it finds them."""

from __future__ import annotations

import inspect
from importlib import import_module
from types import ModuleType
from typing import Any, ClassVar

from torch import nn


class BaseModel(nn.Module):
    default_conf: ClassVar[dict[str, Any]] = {}
    required_inputs: ClassVar[list[str]] = []

    def __init__(self, conf: dict[str, Any]) -> None:
        super().__init__()
        self.conf = {**self.default_conf, **conf}
        self._init(self.conf)

    def forward(self, data: dict[str, Any]) -> dict[str, Any]:
        assert not set(self.required_inputs) - set(data)
        return self._forward(data)


def dynamic_load(root: ModuleType, model: str) -> type[BaseModel]:
    path = f"{root.__name__}.{model}"
    (found,) = (
        kind
        for _, kind in inspect.getmembers(import_module(path), inspect.isclass)
        if kind.__module__ == path and issubclass(kind, BaseModel)
    )
    return found
