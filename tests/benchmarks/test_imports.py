"""What each benchmark takes from the others, and from the package, is there. Nothing is run: peers may be absent."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "benchmarks").glob("*.py"))


def module_file(name: str) -> Path | None:
    """The file of a benchmark or of a module of the package; None of a library's."""
    path = Path(*name.split("."))
    places = (ROOT / "benchmarks" / path, ROOT / "src" / path)
    files = (file for place in places for file in (place.with_suffix(".py"), place / "__init__.py"))
    return next((file for file in files if file.is_file()), None)


def names_of(file: Path) -> set[str]:
    """What can be imported from a module: all that is bound outside of functions and classes, and its submodules."""
    found = {path.stem for path in file.parent.iterdir()} if file.name == "__init__.py" else set()
    waiting: list[ast.AST] = list(ast.parse(file.read_bytes(), str(file)).body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        waiting += ast.iter_child_nodes(node)
    return found


def taken(tree: ast.AST) -> Iterator[tuple[int, str, str | None]]:
    """(line, module, name) of all that a program imports, or takes from an imported sibling by a dot."""
    siblings: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            siblings |= {alias.asname or alias.name: alias.name for alias in node.names}
            yield from ((node.lineno, alias.name, None) for alias in node.names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in siblings:
            yield node.lineno, siblings[node.value.id], node.attr


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_what_a_benchmark_imports_from_its_siblings_and_the_package_is_there(script: Path) -> None:
    tree = ast.parse(script.read_bytes(), str(script))
    compile(tree, str(script), "exec")
    missing = []
    for line, module, name in taken(tree):
        file = module_file(module)
        if file is None:
            if module.split(".")[0] == "digit_recognizer":
                missing.append(f"{script.name}, line {line}: {module}")
        elif name is not None and name not in names_of(file):
            missing.append(f"{script.name}, line {line}: {name} of {module}")
    assert missing == []


def test_a_name_that_is_gone_is_missed() -> None:
    found = list(taken(ast.parse("import scores\nfrom common import cores\nscores.gone()\n")))
    assert found == [(1, "scores", None), (2, "common", "cores"), (3, "scores", "gone")]
    common, scores = module_file("common"), module_file("scores")
    assert common is not None
    assert "cores" not in names_of(common)
    assert scores is not None
    assert "gone" not in names_of(scores)
    assert module_file("keras") is None
