"""The architecture, read from the imports: arrows point one way, and importing costs nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "dad_sfm"
PIPELINES = PACKAGE.parent / "pipelines"

BOTTOM = {"_version", "config", "types", "coords"}
MIDDLE = {
    "aliked_network",
    "checkpoints",
    "dense",
    "dedode_network",
    "descriptors",
    "detectors",
    "device",
    "images",
    "kornia_version",
    "matchers",
    "pretrained",
    "registry",
    "store",
}
TOP = {"cli", "commands", "__main__", "hloc_bridge"}  # and pipelines/; everything else is a step


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
    return module.split(".")[0]


GRAPH = {name: own_imports(name) for name in MODULES}


def test_the_imports_are_read() -> None:
    """What the other tests stand on."""
    assert "coords" in GRAPH["descriptors.rootsift"]
    assert "pretrained" in GRAPH["detectors.dad.weights"]
    assert GRAPH["__main__"] == {"cli"}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_arrows_point_one_way(module: str) -> None:
    targets = {head(target) for target in GRAPH[module]} - {head(module)}
    if head(module) in BOTTOM:
        assert targets <= BOTTOM
    elif head(module) in MIDDLE:
        assert targets <= BOTTOM | MIDDLE
    elif head(module) not in TOP:
        assert not targets & (TOP | {"train"})


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
    for kind in ("dense", "detectors", "descriptors", "matchers"):
        for module in (m for m in MODULES if m.startswith(f"{kind}.")):
            plugin = module.split(".")[1]
            others = {t.split(".")[1] for t in GRAPH[module] if t.startswith(f"{kind}.")}
            assert others <= {plugin, "base"}, module


def test_metrics_read_files_and_never_a_live_model() -> None:
    live = {"detectors", "descriptors", "matchers", "extractor"}
    for module in (m for m in MODULES if head(m) == "evaluation"):
        assert not {head(target) for target in GRAPH[module]} & live, module


def test_only_the_bridge_names_hloc() -> None:
    for module, path in MODULES.items():
        names = {name.split(".")[0] for name in imports(path, module)}
        assert module == "hloc_bridge" or "hloc" not in names, module


def test_pipelines_do_not_import_each_other() -> None:
    scripts = sorted(PIPELINES.glob("*.py"))
    for path in scripts:
        names = {name.split(".")[0] for name in imports(path, None)}
        assert not names & ({script.stem for script in scripts} | {"pipelines"}), path


def test_modules_are_named_for_what_they_hold() -> None:
    assert not {name for name in MODULES if name.split(".")[-1] in {"utils", "util", "helpers"}}


HEAVY = ("torch", "hloc", "matplotlib", "pycolmap", "kornia", "h5py")


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import dad_sfm; dad_sfm.__version__; dir(dad_sfm)", HEAVY),
        ("import dad_sfm.config, dad_sfm.types, dad_sfm.coords, dad_sfm.registry", HEAVY),
        ("from dad_sfm.detectors import DETECTORS; DETECTORS.names", HEAVY),
        ("import dad_sfm.store, dad_sfm.images, dad_sfm.pairs", ("torch", "hloc", "matplotlib")),
        ("import dad_sfm.match_features", ("hloc", "matplotlib", "kornia", "pycolmap")),
    ],
)
def test_a_fresh_interpreter_loads_no_more_than_it_needs(statement: str, absent: tuple) -> None:
    code = f"{statement}\nimport sys; print(*[name for name in {absent} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
