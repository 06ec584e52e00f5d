"""Formats of photos that Pillow reads only with a plug-in: HEIC, JPEG XL, AVIF of older Pillows."""

from __future__ import annotations

import functools
import importlib
import logging

logger = logging.getLogger(__name__)

# Module of the plug-in, and its function that registers it; others do so when imported.
_PLUGINS = {
    "pillow_heif": "register_heif_opener",
    "pillow_jxl": None,
    "pillow_avif": None,
}


@functools.cache
def register_plugins() -> None:
    """Let Pillow read what the installed plug-ins read; once is enough."""
    for module, function in _PLUGINS.items():
        _register(module, function)


def _register(module: str, function: str | None) -> None:
    try:
        plugin = importlib.import_module(module)
        if function is not None:
            getattr(plugin, function)()
    except ModuleNotFoundError:
        return
    except Exception as error:  # a plug-in that does not fit the installed Pillow
        logger.warning("%s cannot be used, its photos are ignored: %s", module, error)
