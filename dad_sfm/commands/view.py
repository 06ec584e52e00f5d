"""``dad-sfm view``"""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "a model in the browser, also while it grows (--live)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="output folder of reconstruct, or COLMAP model")
    parser.add_argument(
        "--live", action="store_true", help="follow a run: photos, pairs, the model as it grows"
    )
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 shows it to other machines")
    parser.add_argument("--port", type=int, default=8080)


def run(options: argparse.Namespace) -> int:
    from ..viewer.serve import Viewer

    viewer = Viewer(options.folder, host=options.host, port=options.port, live=options.live)
    print(viewer.address, flush=True)
    try:
        viewer.run()
    except KeyboardInterrupt:
        return 0
    finally:
        viewer.stop()
