"""Examples of the documentation: sessions are run, code names what there is."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(python|pycon)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return [code for found, code in BLOCK.findall(text) if found == language]


def with_blocks(language: str) -> list[Any]:
    found = [page for page in PAGES if blocks(page, language)]
    return [pytest.param(page, id=str(page.relative_to(ROOT))) for page in found]


@pytest.mark.parametrize("page", with_blocks("pycon"))
def test_sessions_print_what_they_say(page: Path) -> None:
    session = "\n".join(blocks(page, "pycon"))
    examples = doctest.DocTestParser().get_doctest(session, {}, page.name, str(page), 0)
    assert examples.examples
    assert doctest.DocTestRunner(verbose=False).run(examples).failed == 0


@pytest.mark.parametrize("page", with_blocks("python"))
def test_code_imports_and_calls_what_there_is(page: Path) -> None:
    """Imports succeed, and calls of what is ours have names of parameters that exist."""
    known: dict[str, Any] = {}
    for code in blocks(page, "python"):
        nodes = list(ast.walk(ast.parse(code)))
        for node in nodes:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                known |= imported(node)
        for node in nodes:
            if isinstance(node, ast.Call):
                check(node, known)


def imported(node: ast.Import | ast.ImportFrom) -> dict[str, Any]:
    """What a line of imports names; None for what is not ours."""
    if isinstance(node, ast.Import):
        return {
            alias.asname or alias.name.split(".")[0]: importlib.import_module(alias.name)
            if alias.name.startswith("dad_sfm")
            else None
            for alias in node.names
        }
    ours = (node.module or "").startswith("dad_sfm")
    module = importlib.import_module(node.module or "") if ours else None
    return {a.asname or a.name: found(module, a.name) if ours else None for a in node.names}


def found(module: Any, name: str) -> Any:
    try:
        return getattr(module, name)
    except AttributeError:
        return importlib.import_module(f"{module.__name__}.{name}")


def check(call: ast.Call, known: dict[str, Any]) -> None:
    """Raises `AttributeError`, `TypeError` where the call cannot work."""
    path = ast.unparse(call.func).split(".")
    if known.get(path[0]) is None or not all(part.isidentifier() for part in path):
        return
    function = known[path[0]]
    for name in path[1:]:
        function = getattr(function, name)
    if any(isinstance(a, ast.Starred) for a in call.args) or any(
        k.arg is None for k in call.keywords
    ):
        return
    # Not of what a decorator wraps: steps take hloc's parameters, too.
    signature = inspect.signature(function, follow_wrapped=False)
    signature.bind(*call.args, **{k.arg: 0 for k in call.keywords if k.arg})
