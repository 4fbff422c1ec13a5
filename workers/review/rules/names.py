"""What names tell: which tables are temporary, which layer they belong to, which columns are partitions."""

from __future__ import annotations

import re

from workers.review.dialects import Dialect
from workers.review.facts import last_part

_TEMPORARY = re.compile(r"(?:^|_)(?:tmp(?!l)[a-z\d]*|temp\d*|tem\d*)(?:_|$)|^#", re.IGNORECASE)
_PART = re.compile(r"_(?:local|all|dist|distributed|shard)$", re.IGNORECASE)
_LAYER = re.compile(r"(ods|dwd|dwm|dws|dim|ads|adm|app|tmp)_", re.IGNORECASE)
_BY_DAY_OR_HOUR = re.compile(r"_[dhwm][if]$", re.IGNORECASE)

PARTITION_NAMES = ("ds", "dt", "pt")
"""What partition columns are usually called."""


def as_a_whole(table: str, dialect: Dialect) -> str:
    """Return the name that the parts of a table of ClickHouse share: `t` for `t_local` and `t_all`."""
    return _PART.sub("", table) if dialect is Dialect.CLICKHOUSE else table


def temporary(table: str) -> bool:
    """Whether a table is one of passage: `tmp`, `temp` or `tem` is a word in it (`_tmp2`, `tmpinsert`)."""
    return any(_TEMPORARY.search(part) for part in table.strip("`").split("."))


def layer(table: str) -> str | None:
    """Return the warehouse layer that a table's name begins with (`ods`, `dwd` …), or None."""
    found = _LAYER.match(last_part(table))
    return found[1].lower() if found else None


def partition_name(column: str) -> bool:
    """Whether a column is named as partition columns usually are: `ds`, `dt`, `pt`."""
    return column.lower() in PARTITION_NAMES


def likely_partitioned(table: str) -> bool:
    """Whether a table's name ends as those of partitioned tables do: `_di`, `_df`, `_hi`, `_mf` …."""
    return _BY_DAY_OR_HOUR.search(last_part(table)) is not None
