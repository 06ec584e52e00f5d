"""Docstrings with tables of parameters, as reStructuredText has them.

scene    a folder of images,
         or a name                 ->    :param scene: a folder of images, or a name
changes  other values                    :param changes: other values
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

# A name, or several with commas, then what it means after at least two blanks.
_FIRST_ROW = re.compile(r"(\**\w+(?:, \**\w+)*) {2,}(?=\S)")
_ROW = re.compile(r"(\**\w+(?:, \**\w+)*) +(?=\S)")


def fields(lines: list[str]) -> list[str]:
    """The lines with every table of parameters made a field list."""
    found: list[str] = []
    column: int | None = None  # where the meanings of the table begin, within a table
    for line in lines:
        row = _row(line, column)
        if row:
            if column is None:
                column = row.end()
                found.append("")
            name = row[1].replace("*", r"\*")
            found.append(f":param {name}: {line[row.end() :]}")
        elif column is not None and line.startswith("  "):
            found.append(f"    {line.strip()}")
        else:
            if column is not None and line:
                found.append("")
            column = None
            found.append(line)
    return found


def _row(line: str, column: int | None) -> re.Match[str] | None:
    """The beginning of a row: its name.  After the longest one of a table one blank is enough."""
    row = _FIRST_ROW.match(line)
    if row or column is None:
        return row
    row = _ROW.match(line)
    return row if row and row.end() == column else None


def _process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = fields(lines)


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _process)
    return {"version": "1", "parallel_read_safe": True}
