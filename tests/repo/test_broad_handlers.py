"""Handlers of any failure: where hostile code is read, they let limits of time and memory pass."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READERS = ("review", "workers/checks", "workers/pipeline", "common/plugins")
"""Packages whose code runs within a limit."""

BROAD = frozenset({"Exception", "BaseException"})
MEMORY = "MemoryError"


def _names(kind: ast.expr | None) -> set[str]:
    if kind is None:
        return {"BaseException"}
    parts = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return {part.id for part in parts if isinstance(part, ast.Name)}


def _ends_with_raise(body: list[ast.stmt]) -> bool:
    return isinstance(body[-1], ast.Raise) and body[-1].exc is None


def swallowing(source: str) -> Iterator[int]:
    """Yield the lines of handlers that catch a limit and do not raise it again."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "suppress":
            caught = {name for argument in node.args for name in _names(argument)}
            if caught & BROAD:
                yield node.lineno
        if not isinstance(node, ast.Try):
            continue
        is_memory_handled = False
        for handler in node.handlers:
            caught = _names(handler.type)
            is_memory_handled |= MEMORY in caught
            is_swallowing = "BaseException" in caught or ("Exception" in caught and not is_memory_handled)
            if is_swallowing and not _ends_with_raise(handler.body):
                yield handler.lineno


EXEMPT = {
    "review/engine.py": 1,  # the outermost handler of a review: MemoryError is one of its gaps
    "common/plugins/loading.py": 1,  # at import, where no input is read
    "workers/pipeline/check_runner.py": 1,  # the options of a check, before it runs
}
"""Number of handlers by file that may catch everything, and why."""


@pytest.mark.parametrize("package", READERS)
def test_no_handler_swallows_a_limit(package: str) -> None:
    paths = sorted((ROOT / package).rglob("*.py"))
    assert paths
    for path in paths:
        name = path.relative_to(ROOT).as_posix()
        lines = list(swallowing(path.read_text()))
        assert len(lines) == EXEMPT.get(name, 0), f"{name}: lines {lines}"


@pytest.mark.parametrize(
    ("handlers", "count"),
    [
        ("except Exception:\n    x = 1", 1),
        ("except (Exception, SystemExit):\n    x = 1", 1),
        ("except:\n    x = 1", 1),
        ("except BaseException:\n    x = 1\n    raise", 0),
        ("except MemoryError:\n    raise\nexcept Exception:\n    x = 1", 0),
        ("except ValueError:\n    x = 1", 0),
    ],
)
def test_what_counts_as_swallowing(handlers: str, count: int) -> None:
    assert len(list(swallowing(f"try:\n    work()\n{handlers}\n"))) == count


def test_suppress_counts_too() -> None:
    assert list(swallowing("with suppress(Exception):\n    work()\n")) == [1]
