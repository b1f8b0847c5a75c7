"""The house rules that no linter knows: sizes, names, docstrings, and where things may stand."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("chains", "bridges", "policies", "coordinator", "deploy")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MOST_LINES, MOST_IN_FUNCTION, MOST_NESTING = 350, 50, 3
BANNED_NAMES = re.compile(r"(^|_)(utils?|helpers?|common|managers?|handlers?|services?|processors?|impl)$")
BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.AsyncFor, ast.AsyncWith, ast.Match)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def functions(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of code, the docstring left out."""
    first = function.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if documented else 0
    return (function.end_lineno or function.lineno) - function.lineno + 1 - docstring


def depth(node: ast.AST, here: int = 0) -> int:
    deepest = here
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            continue
        elif_branch = isinstance(node, ast.If) and isinstance(child, ast.If) and child in node.orelse
        step = isinstance(child, BLOCKS) and not elif_branch
        deepest = max(deepest, depth(child, here + step))
    return deepest


@pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=name)
def test_file__size__at_most_the_limit(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES, "split it by idea"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_functions__size_and_nesting__at_most_the_limit(path: Path) -> None:
    long = {f.name: body_lines(f) for f in functions(tree(path)) if body_lines(f) > MOST_IN_FUNCTION}
    deep = {f.name: depth(f) for f in functions(tree(path)) if depth(f) > MOST_NESTING}
    assert (long, deep) == ({}, {})


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_module__docstring__says_what_it_is(path: Path) -> None:
    docstring = ast.get_docstring(tree(path))
    assert docstring, "the first line of a module says what it is"
    assert len(docstring.splitlines()[0]) > 10 or path.name == "__init__.py"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_names__files__use_the_words_of_the_field(path: Path) -> None:
    assert not BANNED_NAMES.search(path.stem), f"{path.stem} says nothing; name it after what it is"


@pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=name)
def test_text__machine_paths_and_mocks__absent(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = re.findall("(/wo" + "rk/|/ro" + "ot/|unittest" + r"\.mock|Magic" + "Mock)", text)
    assert found == [], "no paths of one machine; simulated or real parts instead of mocks"


def broad(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or (isinstance(handler.type, ast.Name) and handler.type.id in {"Exception", "BaseException"})


def test_exceptions__broad_except__only_where_said() -> None:
    found = {name(p) for p in SOURCES for node in ast.walk(tree(p)) if isinstance(node, ast.ExceptHandler) and broad(node)}
    allowed = {"chains/solana/transport.py", "deploy/localnet/agents/process.py"}  # boundaries that say why
    assert found <= allowed


def test_environment__reads__only_in_configuration() -> None:
    reads = re.compile(r"os\.(environ|getenv)")
    found = {name(p) for p in SOURCES if p.parts[len(ROOT.parts)] != "deploy" and reads.search(p.read_text(encoding="utf-8"))}
    assert found <= {"coordinator/config/load.py", "coordinator/config/environment.py"}


@pytest.mark.parametrize("package", [*PACKAGES, "tests", "coordinator/planner"])
def test_packages__readme__present(package: str) -> None:
    assert (ROOT / package / "README.md").read_text(encoding="utf-8").strip()


def test_readme__length__one_sitting() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_architecture__saga_diagram__is_the_table() -> None:
    from coordinator.saga.machine import diagram

    assert diagram() in (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"), "paste the output of coordinator.saga.machine.diagram()"


@pytest.mark.parametrize("path", [p for p in TESTS if p.name.startswith("test_")], ids=name)
def test_tests__names__subject_situation_outcome(path: Path) -> None:
    wrong = [f.name for f in functions(tree(path)) if f.name.startswith("test_") and f.name.count("__") < 2]
    assert wrong == []
