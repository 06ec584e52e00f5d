"""The architecture, read from the imports: arrows point one way, and importing costs nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "dad_sfm"
PIPELINES = PACKAGE.parent / "pipelines"

DOCUMENT = PACKAGE.parent / "docs" / "architecture.md"
STEPS = {
    "extract_features",
    "pairs",
    "match_features",
    "database",
    "reconstruction",
    "triangulation",
    "localization",
}
SHELLS = {"", "__main__", "_version", "cli", "utils"}  # at the root, and in no room


def rules() -> dict[str, set[str]]:
    """Room -> rooms it may import, from the table in docs/architecture.md."""
    text = DOCUMENT.read_text(encoding="utf-8")
    table = text.split("| room | holds | may import |", 1)[1].split("\n\n", 1)[0]
    rows = [[cell.strip(" `") for cell in row.split("|")[1:-1]] for row in table.splitlines()[2:]]
    return {room: {name.strip() for name in may.split(",")} - {""} for room, _, may in rows}


RULES = rules()


def modules() -> dict[str, Path]:
    """Dotted names within the package (a folder's own code has the folder's name)."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(path: Path, module: str | None) -> set[str]:
    """Absolute dotted names of all that a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                assert module is not None, f"{path}: a relative import outside the package"
                here = ["dad_sfm", *module.split(".")] if module else ["dad_sfm"]
                up = node.level - (path.name == "__init__.py")
                base = ".".join([*here[: len(here) - up], *([base] if base else [])])
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return found


def own_imports(module: str) -> set[str]:
    """Modules of the package that one of them imports."""
    found = set()
    for name in imports(MODULES[module], module):
        if name.startswith("dad_sfm."):
            inner = name.removeprefix("dad_sfm.")
            # `from .x import y`: y is a module, or something in the module x.
            target = inner if inner in MODULES else inner.rpartition(".")[0]
            found.add(target)
    return found - {"", module}


def head(module: str) -> str:
    """Name of the room that a module is in; of the steps, "steps"."""
    first = module.split(".")[0]
    return "steps" if first in STEPS else first


GRAPH = {name: own_imports(name) for name in MODULES}


def test_the_imports_are_read() -> None:
    """What the other tests stand on."""
    assert "geometry.pixel_frames" in GRAPH["descriptors.rootsift.gradients"]
    assert "models.pretrained" in GRAPH["models.dad_weights"]
    assert GRAPH["__main__"] == {"cli"}


def test_every_folder_and_root_module_is_in_the_table() -> None:
    assert {head(module) for module in MODULES} - SHELLS == set(RULES)
    assert {room for may in RULES.values() for room in may} <= {*RULES, "anything"}


@pytest.mark.parametrize("module", sorted(set(MODULES) - SHELLS))
def test_imports_are_those_of_the_table(module: str) -> None:
    room = head(module)
    if "anything" in RULES[room]:
        return
    targets = {head(target) for target in GRAPH[module]}
    assert targets <= RULES[room] | {room, "core", "_version"}


def test_there_are_no_circles() -> None:
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path, module))
        if module not in done:
            for target in sorted(GRAPH[module]):
                visit(target, (*path, module))
            done.add(module)

    for module in sorted(MODULES):
        visit(module, ())


def test_plug_ins_of_one_kind_do_not_know_each_other() -> None:
    for kind in ("detectors", "descriptors", "matchers.dense", "pairing"):
        for module in (m for m in MODULES if m.startswith(f"{kind}.")):
            plugin = module.removeprefix(f"{kind}.").split(".")[0]
            others = {
                t.removeprefix(f"{kind}.").split(".")[0]
                for t in GRAPH[module]
                if t.startswith(f"{kind}.")
            }
            assert others <= {plugin, "base"}, module


def test_only_the_bridge_names_hloc() -> None:
    for module, path in MODULES.items():
        names = {name.split(".")[0] for name in imports(path, module)}
        assert head(module) == "hloc_bridge" or "hloc" not in names, module


def test_pipelines_do_not_import_each_other() -> None:
    scripts = sorted(PIPELINES.glob("*.py"))
    for path in scripts:
        names = {name.split(".")[0] for name in imports(path, None)}
        assert not names & ({script.stem for script in scripts} | {"pipelines"}), path


def test_modules_are_named_for_what_they_hold() -> None:
    vague = {name for name in MODULES if name.split(".")[-1] in {"utils", "util", "helpers"}}
    # Scripts for the original package import `dad.utils`; nothing of ours does.
    assert vague == {"utils"}
    assert not {module for module, targets in GRAPH.items() if "utils" in targets}


HEAVY = ("torch", "hloc", "matplotlib", "pycolmap", "kornia", "h5py")


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import dad_sfm; dad_sfm.__version__; dir(dad_sfm)", HEAVY),
        (
            "import dad_sfm.core.config, dad_sfm.core.registry, dad_sfm.core.types, "
            "dad_sfm.geometry.pixel_frames",
            HEAVY,
        ),
        ("from dad_sfm.detectors import DETECTORS; DETECTORS.names", HEAVY),
        (
            "import dad_sfm.io.store, dad_sfm.io.images, dad_sfm.pairs",
            ("torch", "hloc", "matplotlib"),
        ),
        ("import dad_sfm.match_features", ("hloc", "matplotlib", "kornia", "pycolmap")),
    ],
)
def test_a_fresh_interpreter_loads_no_more_than_it_needs(statement: str, absent: tuple) -> None:
    code = f"{statement}\nimport sys; print(*[name for name in {absent} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
