"""``dad-sfm train``"""

from __future__ import annotations

import argparse

SUMMARY = "train a detector on your photos, object keypoints on videos, agents on games"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from ..agents.arguments import add_agent_methods
    from ..train.main import add_methods

    add_agent_methods(add_methods(parser))


def run(options: argparse.Namespace) -> int:
    print(options.run_method(options))
    return 0
