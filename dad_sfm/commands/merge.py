"""``dad-sfm merge``"""

from __future__ import annotations

import argparse
from pathlib import Path

SUMMARY = "the files of the shards of a step -> one feature or match file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="the merged file; what it holds is kept")
    parser.add_argument(
        "sources", nargs="*", type=Path, help="files to merge (default: all FILE.I-of-N.h5)"
    )


def run(options: argparse.Namespace) -> int:
    from ..execution.shards import shard_files
    from ..io.store import merge

    found = merge(options.file, options.sources or shard_files(options.file))
    print(f"{options.file}: {found.entries} entries, {found.written} new or changed")
    return 0
