"""The scripts in a notebook: its Python cells as one script, its other cells each as one.

Notebooks are JSON in the format of Jupyter (https://nbformat.readthedocs.io). A cell names its language in
its metadata, as editors store it (`vscode.languageId`), or by a cell magic (`%%sql`), else it has the
language of the notebook. How DataWorks names the engine of an SQL cell is not documented: a cell whose
language is not known is a script in an unknown language, which the review reports.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from review.content.node_script import NodeScript, read_object, script_of_object
from review.dialects import Dialect

CELLS = "cells"
"""Where a notebook has its cells; places of scripts start with it."""

MAX_CELLS = 300
"""Cells other than Python that are reviewed one by one; all cells after them are one script that is not."""

_LANGUAGES = (
    (re.compile(r"odps|maxcompute"), Dialect.MAXCOMPUTE),
    (re.compile(r"hologres"), Dialect.HOLOGRES),
    (re.compile(r"sparksql|kyuubi"), Dialect.SPARK),
    (re.compile(r"hive"), Dialect.HIVE),
    (re.compile(r"starrocks"), Dialect.STARROCKS),
    (re.compile(r"doris|selectdb"), Dialect.DORIS),
    (re.compile(r"clickhouse"), Dialect.CLICKHOUSE),
    (re.compile(r"postgres"), Dialect.POSTGRES),
    (re.compile(r"mysql|polardb"), Dialect.MYSQL),
    (re.compile(r"trino"), Dialect.TRINO),
    (re.compile(r"presto"), Dialect.PRESTO),
    (re.compile(r"python|pyspark"), Dialect.PYTHON),
    (re.compile(r"\A(?:shellscript|shell|bash|sh)\Z"), Dialect.SHELL),
)
"""Dialects by what the name of a language contains, in lower case and without separators."""

_CELL_MAGIC = re.compile(r"\s*%%(\w+)[^\n]*")
_PYTHON_MAGICS = frozenset({"time", "timeit", "capture", "prun", "python", "python3", "pypy"})
"""Cell magics that run the cell as Python."""
_MAGIC_LINE = re.compile(r"^(?P<indent>[ \t]*)(?P<mark>!|%)(?P<name>\w*)(?P<rest>[^\n]*)$", re.MULTILINE)
_TIMING = frozenset({"time", "timeit", "prun", "memit", "mprun", "lprun"})
"""Line magics that run the Python statement after them."""
_SHELL_MAGICS = frozenset({"sx", "system"})
"""Line magics that run a command of the shell, as `!` does."""


@dataclass(frozen=True, slots=True)
class _Cell:
    index: int
    code: str
    dialect: Dialect


def node_scripts(content: str, file_type: int | None) -> tuple[NodeScript, ...]:
    """Return the scripts in the content of a file with a node type: one, but of a notebook any number.

    No content makes this raise.
    """
    raw = read_object(content)
    return notebook_scripts(raw) or (script_of_object(raw, content, file_type),)


def notebook_scripts(raw: dict[str, Any] | None) -> tuple[NodeScript, ...]:
    """Return the scripts of a notebook; none if the object is no notebook, or one without code."""
    if raw is None or "nbformat" not in raw or not isinstance(raw.get(CELLS), list):
        return ()
    cells = list(_code_cells(raw))
    python = [cell.code for cell in cells if cell.dialect is Dialect.PYTHON]
    others = [cell for cell in cells if cell.dialect is not Dialect.PYTHON]
    lines = [line for cell in cells if cell.dialect is Dialect.PYTHON for line in _magic_lines(cell)]
    commands = [line.code for line in lines if line.dialect is Dialect.SHELL]
    others += [line for line in lines if line.dialect is not Dialect.SHELL]
    scripts = [NodeScript(cell.code, cell.dialect, f"{CELLS}[{cell.index}]") for cell in others[:MAX_CELLS]]
    if left := others[MAX_CELLS:]:
        code = "\n".join(cell.code for cell in left)
        scripts.append(NodeScript(code, Dialect.UNKNOWN, f"{CELLS}[{left[0].index}:]"))
    if python:
        # Cells share their variables. Magics are no Python; in comments they keep their lines.
        code = "\n".join(_MAGIC_LINE.sub(_as_python, each) for each in python)
        scripts.insert(0, NodeScript(code, Dialect.PYTHON, CELLS))
    if commands:
        scripts.append(NodeScript("\n".join(commands), Dialect.SHELL, CELLS))
    if scripts:
        scripts[0] = replace(scripts[0], rest=_without_code(raw))
    return tuple(scripts)


def _magic_lines(cell: _Cell) -> Iterator[_Cell]:
    """Yield what the line magics of a Python cell run in other languages: `!hive -e …`, `%sql SELECT …`."""
    for match in _MAGIC_LINE.finditer(cell.code):
        name = match["name"]
        if match["mark"] == "!":
            yield _Cell(cell.index, name + match["rest"], Dialect.SHELL)
        elif name in _SHELL_MAGICS:
            yield _Cell(cell.index, match["rest"], Dialect.SHELL)
        elif (dialect := _language_of_magic(name)) is not None and match["rest"].strip():
            yield _Cell(cell.index, match["rest"].strip(), dialect)


def _language_of_magic(name: str) -> Dialect | None:
    """Return the dialect of a line magic; UNKNOWN for unknown SQL, None if it is not of another language."""
    dialect = _language(name)
    if dialect is Dialect.UNKNOWN and "sql" not in name.lower():
        return None
    return None if dialect is Dialect.PYTHON else dialect


def _as_python(match: re.Match[str]) -> str:
    """Return a line with a magic as Python."""
    if match["mark"] == "%" and match["name"] in _TIMING and not match["rest"].lstrip().startswith("-"):
        return f"{match['indent']}{match['rest'].strip() or 'pass'}"
    return f"{match['indent']}pass  # {match['mark']}{match['name']}{match['rest']}"


def _without_code(raw: Mapping[str, Any]) -> str:
    """Return everything but the code: outputs and metadata may hold secrets."""
    cells = [
        {name: value for name, value in cell.items() if name != "source"} if isinstance(cell, dict) else cell
        for cell in raw[CELLS]
    ]
    return json.dumps({**raw, CELLS: cells}, ensure_ascii=False)


def _code_cells(raw: Mapping[str, Any]) -> Iterator[_Cell]:
    whole = _language(_at(raw, "metadata", "language_info", "name")) or _language(
        _at(raw, "metadata", "kernelspec", "language")
    )
    for index, cell in enumerate(raw[CELLS]):
        kind = _at(cell, "cell_type")
        code = _source(cell)
        if kind in ("markdown", "raw") or not code.strip():
            continue
        named = next((found for name in _names(cell, kind) if (found := _language(name))), None)
        magic = _CELL_MAGIC.match(code)
        if magic and magic[1] not in _PYTHON_MAGICS:
            named = _language(magic[1]) or Dialect.UNKNOWN
        if magic:
            code = _without(code, magic)
        yield _Cell(index, code, named or whole or Dialect.PYTHON)


def _names(cell: object, kind: object) -> Iterator[object]:
    """Yield what may name the language of a cell, the most specific first."""
    yield _at(cell, "metadata", "vscode", "languageId")
    for place in (("metadata",), ()):
        for name in ("languageId", "language"):
            yield _at(cell, *place, name)
    if kind != "code":
        yield kind


def _language(name: object) -> Dialect | None:
    """Return the dialect for the name of a language; UNKNOWN if the name is not known, None without one."""
    if not isinstance(name, str) or not name.strip():
        return None
    plain = re.sub(r"[\W_]", "", name.lower())
    return next((dialect for pattern, dialect in _LANGUAGES if pattern.search(plain)), Dialect.UNKNOWN)


def _source(cell: object) -> str:
    source = _at(cell, "source")
    if isinstance(source, list):
        return "".join(part for part in source if isinstance(part, str))
    return source if isinstance(source, str) else ""


def _without(code: str, magic: re.Match[str]) -> str:
    """Return the code with the line of a magic blanked, so that lines keep their numbers."""
    return re.sub(r"[^\n]", " ", code[: magic.end()]) + code[magic.end() :]


def _at(value: object, *names: str) -> object:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
