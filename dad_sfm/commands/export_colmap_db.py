"""``dad-sfm export colmap-db``"""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "a database for COLMAP 3.8 to 3.13, which cannot open those of 4.x"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("database", type=Path, help="database of COLMAP 4, such as OUT/database.db")
    parser.add_argument("file", type=Path, help="database to write")
    parser.add_argument(
        "--for", dest="version", default="3.8", choices=["3.8"], help="the oldest to open it"
    )


def run(options: argparse.Namespace) -> int:
    from ..export.older_database import export_for_older

    print(export_for_older(options.database, options.file))
    return 0
