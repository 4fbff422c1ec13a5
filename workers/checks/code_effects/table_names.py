"""Table names: their project, their normal form, and their name in production."""

from __future__ import annotations

import re

from review.analysis.projects import project_of
from review.dialects import Dialect
from review.facts import Script

_DEVELOPMENT = "_dev"
_PARTS_WITH_DATABASE = 3
_DEFAULT = "default"
_MASK = re.compile(r"\$\{[^{}]*\}|\$\[[^\[\]]*\]|\{[^{}]*\}|%\w")
"""A parameter in a name, which is replaced at run time: `${x}`, `$[x]`, `{x}`, `%s`."""
_MASKS = re.compile(rf"(?:{_MASK.pattern})+")

_SCHEMAS = frozenset(
    {
        Dialect.HOLOGRES,
        Dialect.POSTGRES,
        Dialect.REDSHIFT,
        Dialect.ORACLE,
        Dialect.TSQL,
        Dialect.PRESTO,
        Dialect.TRINO,
    }
)
"""Dialects in which `a.b` is schema and table: only a name of three parts contains the database."""


def unqualified(table: str) -> str:
    """Return a name in lower case, without quotes."""
    return table.replace("`", "").lower()


def qualified(script: Script, table: str) -> str:
    """Return a name in lower case, with its project if known, and without the schema `default`."""
    name = unqualified(table)
    parts = name.split(".")
    if len(parts) == _PARTS_WITH_DATABASE and parts[1] == _DEFAULT:
        return f"{parts[0]}.{parts[2]}"
    return f"{script.context.project.lower()}.{name}" if script.context.project and "." not in name else name


def database_of(script: Script, dialect: Dialect, table: str) -> str | None:
    """Return the project or database in a name, in lower case; None if it has none."""
    if dialect in _SCHEMAS:
        parts = unqualified(table).split(".")
        return parts[0] if len(parts) == _PARTS_WITH_DATABASE else None
    return project_of(script, table)


def is_dynamic(table: str) -> bool:
    """Whether a name is generated, at least in part, at run time: `shop.dwd_${region}`."""
    return not table or _MASK.search(table) is not None


def name_pattern(table: str) -> re.Pattern[str]:
    """Return a pattern that matches every name that `table` can have once its parameters are replaced.

    The text after a parameter is matched where it first occurs: trying its other occurrences would find
    nothing more, in exponential time.
    """
    first, *rest = (re.escape(part) for part in _MASKS.split(table))
    inner = "".join(rf"(?>\w+?{part})" for part in rest[:-1])
    return re.compile(rf"{first}{inner}\w+{rest[-1]}" if rest else first)


def production_name(table: str) -> str:
    """Return the production name of a table: `shop.t` for `shop_dev.t`."""
    owner, dot, rest = table.partition(".")
    return f"{owner.removesuffix(_DEVELOPMENT)}.{rest}" if dot else table


def table_guid(table: str) -> str | None:
    """Return the guid of a MaxCompute table in DataWorks; None if the project or name is unknown."""
    return f"odps.{table}" if "." in table and not is_dynamic(table) else None
