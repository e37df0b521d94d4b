"""What import-linter cannot say about the house."""

from __future__ import annotations

import ast
import builtins
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "pymon_tui"
MODULES = sorted(PACKAGE.rglob("*.py"))
COLOUR = re.compile(r"""["'](#[0-9a-fA-F]{3,8}|(ansi_|rgb\()\w*|red|green|blue|yellow|cyan|magenta|white|black)["']""")
# Where what is heavy waits for the command that needs it.
LAZY = ("start.py", "cli.py", "cli_invalidation.py", "cli_once.py", "cli_permissions.py", "cli_settings.py")
LONGEST_FILE = 320
LONGEST_FUNCTION = 60


def _name(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@cache
def _source(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(_source(path))


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_a_room_does_one_thing() -> None:
    long = [f"{_name(path)}: {lines} lines" for path in MODULES if (lines := _source(path).count("\n")) > LONGEST_FILE]
    long += [
        f"{_name(path)}: {function.name}: {lines} lines"
        for path in MODULES
        for function in _functions(_tree(path))
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > LONGEST_FUNCTION
    ]
    assert not long, long


def test_no_import_hides_a_circle() -> None:
    hidden = [_name(path) for path in MODULES if "TYPE_CHECKING" in _source(path)]
    hidden += [
        f"{_name(path)}:{node.lineno} in {function.name}"
        for path in MODULES
        if _name(path) not in LAZY
        for function in _functions(_tree(path))
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not hidden, hidden


def test_only_the_theme_has_colour_literals() -> None:
    found = [
        f"{_name(path)}: {match.group()}"
        for path in MODULES
        if path.name != "theme.py"
        for match in COLOUR.finditer(_source(path))
    ]
    assert not found, found


def test_no_handler_calls_the_one_that_it_stands_before() -> None:
    """Textual calls those of all classes: a second call begins every timer twice."""
    found = [
        f"{path.relative_to(PACKAGE.parent)}:{node.lineno}"
        for path in MODULES
        for function in _functions(_tree(path))
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute)
        and node.attr == getattr(function, "name", "")
        and node.attr.startswith(("on_", "_on_"))
        and node.attr not in ("on_event", "_on_timer_update")  # which are called by name
        and ast.unparse(node.value) == "super()"
    ]
    assert not found, found


def test_every_module_says_what_it_knows() -> None:
    silent = [_name(path) for path in MODULES if _source(path).strip() and ast.get_docstring(_tree(path)) is None]
    assert not silent, silent


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("pymon_tui.cli", ("textual", "rich", "redis", "pydantic")),
        ("pymon_tui.once", ("textual", "rich")),
        ("pymon_tui.settings", ("textual", "rich", "redis")),
        ("pymon_tui.removing.invalidate", ("textual", "rich")),
        ("pymon_tui.ui.app", ("redis", "hiredis")),
    ],
)
def test_what_is_heavy_waits(module: str, heavy: tuple[str, ...]) -> None:
    # Help must answer at once, and the first paint must not wait for what connects.
    script = f"import sys, {module}; print(*[name for name in {heavy} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


def test_what_is_written_to_a_connection_passes_one_function() -> None:
    found = [
        f"{_name(path)}: {match.group()}"
        for path in MODULES
        if path.name != "writing.py"
        for match in re.finditer(r"transport\.write\(|\.writelines\(|_writer\.write\(", _source(path))
    ]
    assert not found, found


def test_no_comprehension_binds_a_name_that_its_function_takes_from_the_module() -> None:
    """Python 3.12.1 takes such a name for one of the function's own, which has no value."""
    lost = [
        f"{path.relative_to(PACKAGE.parent)}:{read.lineno}: {read.id} in {function.name}"
        for path in (*MODULES, *sorted(Path(__file__).parent.rglob("*.py")))
        for module in [_tree(path)]
        for bound in [_bound(module.body)]
        for function in _functions(module)
        for read in _lost_reads(function, bound)
    ]
    assert not lost, lost


def _bound(body: list[ast.stmt]) -> set[str]:
    """The names that a module binds."""
    names = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    names |= {
        (alias.asname or alias.name).split(".")[0]
        for node in body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assigned = [node for node in body if isinstance(node, ast.Assign | ast.AnnAssign)]
    names |= {node.id for one in assigned for node in ast.walk(one) if isinstance(node, ast.Name)}
    return names | set(dir(builtins))


def _lost_reads(function: ast.AST, of_the_module: set[str]) -> Iterator[ast.Name]:
    """Reads of a module's names outside the comprehensions of the same function that bind them."""
    nodes = list(ast.walk(function))
    comprehensions = [node for node in nodes if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp)]
    if not comprehensions:
        return
    names = [node for node in nodes if isinstance(node, ast.Name)]
    own = {node.arg for node in nodes if isinstance(node, ast.arg)}
    within: dict[str, set[int]] = {}
    for comprehension in comprehensions:
        for target in (node for each in comprehension.generators for node in ast.walk(each.target)):
            if isinstance(target, ast.Name):
                within.setdefault(target.id, set()).update(id(node) for node in ast.walk(comprehension))
    stored = {node.id for node in names if isinstance(node.ctx, ast.Store) and id(node) not in within.get(node.id, ())}
    for node in names:
        is_read = isinstance(node.ctx, ast.Load) and id(node) not in within.get(node.id, ())
        if is_read and node.id in within and node.id in of_the_module and node.id not in own | stored:
            yield node
