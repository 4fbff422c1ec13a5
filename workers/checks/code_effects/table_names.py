"""Names of tables: which project they belong to, and which mean the same."""

from __future__ import annotations

import re

from review.analysis.projects import project_of
from review.dialects import Dialect
from review.facts import Script

_DEVELOPMENT = "_dev"
_PARTS_WITH_DATABASE = 3
_DEFAULT = "default"
_MASK = re.compile(r"\$\{[^}]*\}|\$\[[^\]]*\]|\{[^}]*\}|%\w")
"""A part of a name that is put in at run time."""

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
"""Dialects in which `a.b` is schema and table: the database is named by three parts only."""


def unqualified(table: str) -> str:
    """Return a name in lower case, without quotes."""
    return table.replace("`", "").lower()


def qualified(script: Script, table: str) -> str:
    """Return a name in lower case with its project, where that is known, and without the schema `default`."""
    name = unqualified(table)
    parts = name.split(".")
    if len(parts) == _PARTS_WITH_DATABASE and parts[1] == _DEFAULT:
        return f"{parts[0]}.{parts[2]}"
    return f"{script.context.project.lower()}.{name}" if script.context.project and "." not in name else name


def database_of(script: Script, dialect: Dialect, table: str) -> str | None:
    """Return the project or database that a name tells, in lower case; None when it tells none."""
    if dialect in _SCHEMAS:
        parts = unqualified(table).split(".")
        return parts[0] if len(parts) == _PARTS_WITH_DATABASE else None
    return project_of(script, table)


def is_dynamic(table: str) -> bool:
    """Whether parts of a name are put in at run time: `shop.dwd_${region}`."""
    return not table or _MASK.search(table) is not None


def name_pattern(table: str) -> re.Pattern[str]:
    """Return what matches every name that `table` may become when its parameters are put in."""
    return re.compile(r"\w+".join(re.escape(part) for part in _MASK.split(table)))


def production_name(table: str) -> str:
    """Return the name that a table has in production: `shop_dev.t` is `shop.t` there."""
    owner, dot, rest = table.partition(".")
    return f"{owner.removesuffix(_DEVELOPMENT)}.{rest}" if dot else table


def table_guid(table: str) -> str | None:
    """Return the id of a MaxCompute table in lineage and catalogue; None for a name without a project."""
    return f"odps.{table}" if "." in table and not is_dynamic(table) else None
