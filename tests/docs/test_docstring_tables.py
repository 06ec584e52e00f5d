"""Tables of parameters in docstrings become field lists."""

import pytest

pytest.importorskip("sphinx")

from docstring_tables import fields


def test_a_table_becomes_fields():
    text = """\
Do it.

image_dir   the photos,
            or a list
a, b        two points
num_threads of COLMAP
N may be 0.

Raises `ConfigError`."""
    assert fields(text.splitlines()) == [
        "Do it.",
        "",
        "",
        ":param image_dir: the photos,",
        "    or a list",
        ":param a, b: two points",
        ":param num_threads: of COLMAP",
        "",
        "N may be 0.",
        "",
        "Raises `ConfigError`.",
    ]


def test_prose_and_code_stay():
    text = ["One line.", "", "Several words in a row, as here::", "", "    a  b", "", "The end."]
    assert fields(text) == text
