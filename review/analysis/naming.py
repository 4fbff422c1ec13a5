"""Conventions in names: temporary tables, warehouse layers and partition columns."""

from __future__ import annotations

import re
from collections.abc import Iterable

from review.dialects import Dialect
from review.facts import last_part

_TEMPORARY = re.compile(r"(?:^|_)(?:tmp(?!l)[a-z\d]*|temp\d*|tem\d*)(?:_|$)|^[#@]", re.IGNORECASE)
_PART = re.compile(r"_(?:local|all|dist|distributed|shard)$", re.IGNORECASE)
_LAYER = re.compile(r"(ods|dwd|dwm|dws|dim|ads|adm|app|tmp)_", re.IGNORECASE)
_BY_DAY_OR_HOUR = re.compile(r"_[dhwm][if]$", re.IGNORECASE)

PARTITION_NAMES = ("ds", "dt", "pt")
"""Usual names of partition columns."""


def without_shard_suffix(table: str, dialect: Dialect) -> str:
    """Return the common name of a distributed ClickHouse table: `t` for `t_local` and `t_all`."""
    return _PART.sub("", table) if dialect is Dialect.CLICKHOUSE else table


def is_temporary(table: str) -> bool:
    """Whether the name contains the word `tmp`, `temp` or `tem` (also `_tmp2`, `tmpinsert`)."""
    return any(_TEMPORARY.search(part) for part in table.strip("`").split("."))


def is_session_table(table: str) -> bool:
    """Whether it is a temporary table or table variable of T-SQL (`#t`, `@t`), gone after its session."""
    return last_part(table)[:1] in ("#", "@") and "##" not in table


def layer_of(table: str) -> str | None:
    """Return the warehouse layer that a table's name begins with (`ods`, `dwd` …), or None."""
    found = _LAYER.match(last_part(table))
    return found[1].lower() if found else None


def database_has_layer(table: str, layers: Iterable[str]) -> bool:
    """Whether the database of a qualified name has a layer among its words: `ods.t`, `mall_dwd.t`."""
    database = table.rpartition(".")[0].rpartition(".")[2]
    words = database.strip("`").lower().split("_")
    return any(layer.lower() in words for layer in layers)


def is_partition_name(column: str) -> bool:
    """Whether a column has a usual name of partition columns: `ds`, `dt`, `pt`."""
    return column.lower() in PARTITION_NAMES


def is_likely_partitioned(table: str) -> bool:
    """Whether a table's name has a suffix of partitioned tables: `_di`, `_df`, `_hi`, `_mf` …."""
    return _BY_DAY_OR_HOUR.search(last_part(table)) is not None
