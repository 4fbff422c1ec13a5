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
    every = [site for found in sites.values() for site in found]
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
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=method)) if method in _METHODS:
                place = Place(str(path.relative_to(ROOT)), node.lineno, node.end_lineno or node.lineno)
                used = uses.get(names.get(id(node), ""), set()) if method == "compile" else {method}
                anchored = used.pop() if len(used) == 1 else ""
                yield _Site(place, anchored if anchored in _ANCHORED else "finditer")


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
    from review.context import ReviewContext  # noqa: PLC0415
    from review.dialects import Dialect  # noqa: PLC0415
    from review.script_reader import read_script  # noqa: PLC0415
    from tests.support.labelled_nodes import labelled_nodes  # noqa: PLC0415

    for node in labelled_nodes():
        read_script(node.code, node.dialect, node.context, None, time.monotonic() + 60)
    for dialect in Dialect:
        read_script("SELECT a FROM t;\n", dialect, ReviewContext(), None, time.monotonic() + 60)
