"""Which module may import which, and what reading digits must never load."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import digit_recognizer

ROOT = Path(digit_recognizer.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

# DESIGN.md: errors -> digits, reading -> pictures -> {sources, analysis} -> recognizer -> training -> apps
LAYERS = (
    {"_version", "cores", "errors", "files"},
    {"digits", "foreign", "reading", "reading_plots"},
    {"pictures"},
    {"sources", "analysis"},
    {"model_bytes", "model_file", "model_probe", "shipped", "small_network", "ink_finder", "line_reader"}
    | {"cell_reader"}
    | {"page_networks", "recognizer"},
    {"training"},
    {"apps"},
    {"__main__"},
)
RANK = {part: rank for rank, layer in enumerate(LAYERS) for part in layer}

# The rooms of pictures/, and the files beside them that lean on rooms; all other files there lean on none.
ROOMS = (
    {"marks"},
    {"words"},
    {"means", "numbers"},
    {"displays", "grids"},
    {"first_look", "one_mark", "page", "page_words", "second_look", "steps", "turned"},
)
FLOOR = {room: floor for floor, rooms in enumerate(ROOMS, 1) for room in rooms}

# Each is loaded by nobody else than the named wing, and there by the modules that cannot do without.
HEAVY = ("torch", "matplotlib", "jinja2", "pandas", "ray", "onnx", "onnxscript", "sklearn", "pyarrow", "pooch")
HEAVY += ("pi_heif", "pypdfium2")  # decoders that are extras
AT_TOP = {"training": ("torch", "onnx", "onnxscript", "safetensors"), "analysis/plots.py": ("matplotlib",)}
AT_TOP["analysis/report.py"] = ("jinja2", "matplotlib")
AT_TOP["apps/classifier.py"] = ("sklearn",)
AT_TOP["apps/scale/tune_trials.py"] = ("ray",)
for name in ("blocks", "listing", "parts", "tables", "work"):
    AT_TOP[f"apps/batch/{name}.py"] = ("pyarrow",)


def part_of(path: Path) -> str:
    """errors.py -> errors; sources/catalog.py -> sources; the package's own __init__ may import all -> ''."""
    first = path.relative_to(ROOT).parts[0]
    return "" if first == "__init__.py" else first.removesuffix(".py")


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, module) of every import below ``tree``, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import hides the layer"
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def at_top(tree: ast.Module) -> Iterator[str]:
    """Names of what is imported when the module is: no function bodies, no blocks for type checkers."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]
        waiting.extend(ast.iter_child_nodes(node))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    part = part_of(path)
    for line, module in imports(ast.parse(path.read_text("utf-8"))):
        names = module.split(".")
        if names[0] != "digit_recognizer" or part == "":
            continue
        other = names[1]
        allowed = other == part or RANK[other] < RANK[part] or (RANK[other] == RANK[part] and part not in LAYERS[3])
        assert allowed, f"{path.name}, line {line}: {part} must not import {other}"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "pictures").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT / "pictures"))
)
def test_the_rooms_of_pictures_lean_one_way(path: Path) -> None:
    room = path.relative_to(ROOT / "pictures").parts[0].removesuffix(".py")
    for line, module in imports(ast.parse(path.read_text("utf-8"))):
        names = module.split(".")
        if names[:2] != ["digit_recognizer", "pictures"] or names[2] == room:
            continue
        lower, own = FLOOR.get(names[2], 0), FLOOR.get(room, 0)
        assert lower < own or lower == own in (0, len(ROOMS)), f"{path.name}, line {line}: {room} leans on {names[2]}"


def test_every_room_of_pictures_has_a_place_in_their_order() -> None:
    folders = {path.parent.name for path in (ROOT / "pictures").glob("*/__init__.py")}
    assert folders == set(FLOOR) & folders
    assert all((ROOT / "pictures" / room).is_dir() or (ROOT / "pictures" / f"{room}.py").is_file() for room in FLOOR)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_heavy_libraries_are_imported_at_the_top_of_their_own_wing_alone(path: Path) -> None:
    allowed = AT_TOP.get(part_of(path), ()) + AT_TOP.get(path.relative_to(ROOT).as_posix(), ())
    found = set(at_top(ast.parse(path.read_text("utf-8")))) & {*HEAVY, "safetensors"}
    assert found <= set(allowed)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_unpickles_or_runs_text(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    for line, module in imports(tree):
        assert module.partition(".")[0] not in ("pickle", "joblib", "dill", "marshal", "shelve", "yaml"), line
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in ("eval", "exec", "torch.load", "pickle.load", "yaml.load"), node.lineno
            for keyword in node.keywords:
                wanted = keyword.arg == "allow_pickle"
                assert not (wanted and ast.unparse(keyword.value) != "False"), node.lineno


def test_every_part_has_a_place_in_the_order() -> None:
    assert {part_of(path) for path in FILES} - {""} <= set(RANK)
    assert {"errors", "digits", "recognizer", "training"} <= {part_of(path) for path in FILES}


# Everything but training, plots and report; of the doors, the command line: it opens the training doors when asked.
READING = [
    ".".join(("digit_recognizer", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
    for path in FILES
    if path.relative_to(ROOT).as_posix() not in AT_TOP
    and (part_of(path) not in ("training", "apps") or path.name == "cli.py")
]


def test_reading_never_loads_torch_or_any_other_heavy_library() -> None:
    program = (
        "import importlib, json, sys\n"
        f"for name in {READING!r}:\n"
        "    importlib.import_module(name)\n"
        f"loaded = sorted(set({HEAVY!r}) & set(sys.modules))\n"
        "print(json.dumps(loaded))\n"
    )
    child = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=120)
    assert child.returncode == 0, child.stderr
    assert child.stdout.strip() == "[]"
    assert {"digit_recognizer.recognizer", "digit_recognizer.sources.catalog"} <= set(READING)


def test_importing_the_recognizer_does_not_load_the_runtime_yet() -> None:
    program = "import sys, digit_recognizer, digit_recognizer.recognizer; print('onnxruntime' in sys.modules)"
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert child.stdout.strip() == "False", child.stderr


def test_reading_a_digit_never_loads_torch_or_onnx(tmp_path: Path) -> None:
    from tests.plain_models import plain_bytes

    path = tmp_path / "m.onnx"
    path.write_bytes(plain_bytes())
    program = (
        "import os, sys, numpy as np\n"
        f"os.environ['DIGITS_CACHE'] = {str(tmp_path / 'cache')!r}\n"
        "from digit_recognizer.recognizer import Recognizer\n"
        f"Recognizer({str(path)!r}).predict(np.zeros((2, 28, 28), np.uint8))\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)))\n"
    )
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert child.returncode == 0, child.stderr
    assert child.stdout.strip() == "[]"
