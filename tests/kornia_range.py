"""Tests of what the kornia for Python 3.10 lacks: skipped there, and nowhere else."""

from __future__ import annotations

import pytest

from dad_sfm.models.kornia_version import has_kornia


def needs_kornia(least: str) -> pytest.MarkDecorator:
    reason = f"needs kornia>={least}, which needs Python 3.11"
    return pytest.mark.skipif(not has_kornia(least), reason=reason)
