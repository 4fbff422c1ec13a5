"""All regular expressions of the product: those written as a literal, and those built at run time.

Literals are read from the source. Built patterns are recorded while the modules are imported and the labelled
nodes are reviewed. A place that builds a pattern and was never run is an error, so that none is overlooked.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGES = ("common", "console", "deploy", "dwgate", "emulator", "ingest", "review", "workers")
_METHODS = frozenset(
    {"compile", "match", "search", "fullmatch", "split", "sub", "subn", "findall", "finditer"}
)
_ANCHORED = frozenset({"match", "fullmatch"})
_METHOD_OF = {
    "common/config_files/yaml_document.py": "fullmatch",
    "common/text/globs.py:_compiled": "fullmatch",
    "review/extraction/source_text.py:_compiled_start": "match",
    "review/languages/data_integration/json_positions.py": "match",
    "workers/checks/code_effects/table_names.py:name_pattern": "fullmatch",
}
"""How patterns are used that are kept in a table, or returned, by file and function."""
_IN_WINDOWS = frozenset({"review/languages/embedded.py:_LAST_WORD"})
"""Patterns that are only applied to a few dozen characters, so that their time is bounded."""
_OF_PEOPLE = frozenset({"common/text/patterns.py"})
"""Files whose patterns are written by people: RE2 matches them, and Python only locates their faults."""

_ESCAPED = frozenset({"review/analysis/secret_mask.py:text"})
"""Patterns that are escaped text."""

_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pattern is compiled: file and lines."""

    path: str
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.path}:{self.first}"


@dataclass(frozen=True, slots=True)
class ProductPattern:
    """A pattern, where it is compiled, and how it is used: `match`, `fullmatch` or `finditer`."""

    place: Place
    pattern: str
    flags: int
    method: str


@dataclass(slots=True)
class _Site:
    """A call of `re` in the source."""

    place: Place
    method: str
    patterns: set[tuple[str, int]] = field(default_factory=set)


def product_patterns() -> tuple[list[ProductPattern], list[Place]]:
    """Return all patterns, and the places whose pattern was never compiled. Imports the whole product."""
    sites = {
        path: list(_sites(path)) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))
    }
    with _Recorder(sites):
        _import_all()
        _build_all()
    every = [site for found in sites.values() for site in found if site.place.path not in _OF_PEOPLE]
    patterns = [
        ProductPattern(site.place, pattern, flags, site.method)
        for site in every
        for pattern, flags in sorted(site.patterns)
    ]
    return patterns, [site.place for site in every if not site.patterns]


def _sites(path: Path) -> Iterator[_Site]:
    tree = ast.parse(path.read_text())
    uses = _uses(tree)
    names = {
        id(node.value): target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    functions = {
        id(inner): node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=method)) if method in _METHODS:
                place = Place(str(path.relative_to(ROOT)), node.lineno, node.end_lineno or node.lineno)
                used = uses.get(names.get(id(node), ""), set()) if method == "compile" else {method}
                name = names.get(id(node)) or functions.get(id(node), "")
                if f"{place.path}:{name}" in _IN_WINDOWS | _ESCAPED:
                    continue
                known = _METHOD_OF.get(f"{place.path}:{name}") or _METHOD_OF.get(place.path, "")
                anchored = used.pop() if len(used) == 1 else known
                site = _Site(place, anchored if anchored in _ANCHORED else "finditer")
                if (pattern := _constant(node)) is not None:
                    site.patterns.add(pattern)
                yield site


def _constant(call: ast.Call) -> tuple[str, int] | None:
    """Return the pattern and the flags of a call of `re` that are written in it; None if they are not."""
    if not call.args or not isinstance(call.args[0], ast.Constant) or not isinstance(call.args[0].value, str):
        return None
    given = [*call.args[1:], *(keyword.value for keyword in call.keywords)]
    names = [node.attr for item in given for node in ast.walk(item) if isinstance(node, ast.Attribute)]
    flags = re.NOFLAG
    for name in names:
        flags |= getattr(re.RegexFlag, name, re.NOFLAG)
    return call.args[0].value, int(flags)


def _uses(tree: ast.Module) -> dict[str, set[str]]:
    """Return how each name is used: the methods called on it, and `""` for any other use."""
    methods = {id(node.value): node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found.setdefault(node.id, set()).add(methods.get(id(node), ""))
    return found


class _Recorder:
    """Records the patterns that the product compiles, by replacing the function behind all of `re`."""

    def __init__(self, sites: dict[Path, list[_Site]]) -> None:
        self._sites = {str(path): found for path, found in sites.items()}
        self._original: Any = vars(re)["_compile"]

    def __enter__(self) -> None:
        vars(re)["_compile"] = self._compile

    def __exit__(self, *_: object) -> None:
        vars(re)["_compile"] = self._original

    def _compile(self, pattern: Any, flags: Any) -> Any:
        compiled = self._original(pattern, flags)
        frame = sys._getframe(2)
        for site in self._sites.get(frame.f_code.co_filename, ()):
            if site.place.first <= frame.f_lineno <= site.place.last and isinstance(compiled.pattern, str):
                site.patterns.add((compiled.pattern, int(flags)))
        return compiled


def _import_all() -> None:
    for package in PACKAGES:
        for module in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


def _build_all() -> None:
    """Run what builds patterns at run time."""
    # Imported here: before, the recorder would not see the patterns of these modules.
    from common.text import globs  # noqa: PLC0415
    from review.context import ReviewContext  # noqa: PLC0415
    from review.dialects import Dialect  # noqa: PLC0415
    from review.rules.api import RuleContext  # noqa: PLC0415
    from review.rules.registry import RULES  # noqa: PLC0415
    from review.script_reader import read_script  # noqa: PLC0415
    from review.source.positions import LineIndex  # noqa: PLC0415
    from review.tables.catalog import TableCatalog  # noqa: PLC0415
    from tests.support.labelled_nodes import labelled_nodes  # noqa: PLC0415
    from workers.checks.code_effects.table_names import name_pattern  # noqa: PLC0415
    from workers.checks.code_effects.table_rebuilds import TableRebuilds  # noqa: PLC0415

    globs.first_match(("*a*b*c*",), "name")
    name_pattern("a_${x}_{y}_%s")
    banned = next(rule for rule in RULES if rule.name == "banned-function")
    for node in labelled_nodes():
        script = read_script(node.code, node.dialect, node.context, None, time.monotonic() + _SECONDS)
        list(banned.hits(RuleContext(script, TableCatalog(script))))
    changed = "ALTER TABLE t CHANGE COLUMN a b BIGINT; CALL p('SELECT 1'); SELECT 1"
    for dialect in Dialect:
        script = read_script(changed, dialect, ReviewContext(), None, time.monotonic() + _SECONDS)
        TableRebuilds(script, LineIndex(changed))
